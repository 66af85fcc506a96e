import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { issueKey } from '../api-keys/issue-key.ts'
import { listKeys } from '../api-keys/list-keys.ts'
import { revokeKey } from '../api-keys/revoke-key.ts'
import { rotateKey } from '../api-keys/rotate-key.ts'
import { ApiKey, ApiKeyBody, IssuedApiKey, RotateBody } from '../api-keys/schemas.ts'
import { Done } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'

const tags = ['identity']

export const apiKeyRoutes = (deps: GatewayDeps) =>
  new Elysia({ name: 'gateway.api-keys' })
    .use(withCtx)
    .get('/api/api-keys', ({ ctx, query }) => listKeys({ ctx, input: query, deps }), {
      mapResponse: etag,
      query: PageQuery,
      response: { 200: pageOf(ApiKey) },
      detail: { operationId: 'listApiKeys', tags, summary: 'Own API keys that are not revoked, newest first' },
    })
    .post(
      '/api/api-keys',
      async ({ ctx, body, set }) => {
        const issued = await issueKey({ ctx, input: body, deps })
        set.status = 201
        set.headers['cache-control'] = 'no-store'
        return issued
      },
      {
        parse: 'json',
        transform: ({ ctx }) => void requireActor(ctx),
        body: ApiKeyBody,
        response: { 201: IssuedApiKey },
        detail: { operationId: 'createApiKey', tags, summary: 'Make an API key; it is shown in this answer only' },
      },
    )
    .post(
      '/api/api-keys/:id/rotate',
      async ({ ctx, params, body, set }) => {
        const issued = await rotateKey({ ctx, input: { ...body, ...params }, deps })
        set.status = 201
        return issued
      },
      {
        parse: 'json',
        params: z.object({ id: z.uuid() }),
        transform: ({ ctx }) => void requireActor(ctx),
        body: RotateBody,
        response: { 201: IssuedApiKey },
        detail: {
          operationId: 'rotateApiKey',
          tags,
          summary: 'Replace an API key; the old one works for a while longer',
        },
      },
    )
    .delete(
      '/api/api-keys/:id',
      async ({ ctx, params }) => {
        await revokeKey({ ctx, input: params, deps })
        return { success: true } as const
      },
      {
        params: z.object({ id: z.uuid() }),
        response: { 200: Done },
        detail: { operationId: 'deleteApiKey', tags, summary: 'Revoke an API key, at once' },
      },
    )
