import { Elysia } from 'elysia'
import { Jwks } from '../auth/schemas.ts'
import type { SigningKeys } from '../tokens/signing-keys.ts'

export const jwksRoutes = (keys: SigningKeys) =>
  new Elysia({ name: 'gateway.jwks' }).get(
    '/.well-known/jwks.json',
    async ({ set }) => {
      await keys.reload()
      set.headers['cache-control'] = 'public, max-age=300'
      return { keys: keys.published() }
    },
    {
      response: { 200: Jwks },
      detail: { operationId: 'getJwks', tags: ['identity'], summary: 'Public keys of the access tokens' },
    },
  )
