import { AssayError } from '@assay/core/contracts/errors'
import { Elysia } from 'elysia'
import { z } from 'zod'
import type { OAuthDeps } from '../oauth/deps.ts'
import { type Answering, baseOf } from '../oauth/http.ts'
import { resourceMetadata, serverMetadata } from '../oauth/metadata.ts'
import { resourceAt } from '../oauth/resources.ts'
import { ResourceMetadata, ServerMetadata } from '../oauth/schemas.ts'

const tags = ['oauth']

/** From a refusal of the API a client finds everything else here. */
export const oauthDiscovery = ({ publicUrl }: OAuthDeps) => {
  const server = ({ request, set }: { request: Request; set: Answering }) => {
    set.headers['cache-control'] = 'public, max-age=300'
    return serverMetadata(baseOf(publicUrl, request))
  }
  const resource = (path: string, request: Request, set: Answering) => {
    const base = baseOf(publicUrl, request)
    const found = resourceAt(base, path)
    if (!found) throw new AssayError('not_found', 'There is no such resource.')
    set.headers['cache-control'] = 'public, max-age=300'
    return resourceMetadata(base, found)
  }
  const params = z.object({ resource: z.string().max(100) })
  return new Elysia({ name: 'gateway.oauth.discovery' })
    .get('/.well-known/oauth-authorization-server', server, {
      response: { 200: ServerMetadata },
      detail: { operationId: 'getAuthorizationServer', tags, summary: 'The authorization server (RFC 8414)' },
    })
    .get(
      '/.well-known/oauth-authorization-server/:resource',
      ({ params, request, set }) => {
        if (!resourceAt('', `/${params.resource}`)) throw new AssayError('not_found', 'There is no such resource.')
        return server({ request, set })
      },
      {
        params,
        response: { 200: ServerMetadata },
        detail: {
          operationId: 'getAuthorizationServerOf',
          tags,
          summary: 'The same, for clients that look below the path of a resource',
        },
      },
    )
    .get('/.well-known/oauth-protected-resource', ({ request, set }) => resource('', request, set), {
      response: { 200: ResourceMetadata },
      detail: { operationId: 'getProtectedResource', tags, summary: 'The API as a protected resource (RFC 9728)' },
    })
    .get(
      '/.well-known/oauth-protected-resource/:resource',
      ({ params, request, set }) => resource(`/${params.resource}`, request, set),
      {
        params,
        response: { 200: ResourceMetadata },
        detail: { operationId: 'getProtectedResourceAt', tags, summary: 'A resource below a path, such as mcp' },
      },
    )
}
