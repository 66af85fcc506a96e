import { withCtx } from '@assay/core/kernel/edge'
import { pathOf, stateOf } from '@assay/core/kernel/request'
import { Elysia, NotFoundError } from 'elysia'
import { forward, type ProxyOptions } from './proxy.ts'
import { createRouteTrie } from './route-trie.ts'
import table from './routes.json' with { type: 'json' }
import { passThrough } from './web-socket.ts'

/** Anywhere else `Upgrade` is as good as not said: a service that then answers as ever has not failed. */
const SOCKETS = new Set(['/ws', '/ws/'])

/** What is not the gateway's own goes to the service whose path it is. */
export function proxyRoutes(options: ProxyOptions) {
  const { gateway: _own, ...others } = table
  const ownerOf = createRouteTrie(others)
  return new Elysia({ name: 'gateway.proxy' }).use(withCtx).all(
    '/*',
    ({ ctx, request, set, server }) => {
      const path = pathOf(request.url)
      const service = ownerOf(path)
      if (!service) throw new NotFoundError()
      const state = stateOf(request)
      if (state) state.route = service
      if (server && SOCKETS.has(path) && request.headers.get('upgrade')?.toLowerCase() === 'websocket') {
        return passThrough(service, { request, ctx, server }, options)
      }
      return forward(service, { request, ctx, set, server }, options)
    },
    { parse: 'none', detail: { hide: true } },
  )
}
