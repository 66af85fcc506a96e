import type { AskedElsewhere, Elsewhere } from '@assay/core/kernel/elsewhere'
import { pathOf } from '@assay/core/kernel/request'
import { forward, type ProxyOptions } from './proxy.ts'
import { createRouteTrie } from './route-trie.ts'
import table from './routes.json' with { type: 'json' }
import { passThrough } from './web-socket.ts'

/** Anywhere else `Upgrade` is as good as not said: a service that then answers as ever has not failed. */
const SOCKETS = new Set(['/ws', '/ws/'])

/** What is not the gateway's own goes to the service whose path it is. */
export function elsewhere(options: ProxyOptions): Elsewhere {
  const ownerOf = createRouteTrie(table)
  return {
    ownerOf(path) {
      const owner = ownerOf(path)
      return owner === 'gateway' ? undefined : owner
    },
    answer(service, asked: AskedElsewhere) {
      const { request, ctx, server } = asked
      const isSocket = SOCKETS.has(pathOf(request.url)) && request.headers.get('upgrade')?.toLowerCase() === 'websocket'
      if (server && isSocket) return passThrough(service, { request, ctx, server }, options)
      return forward(service, asked, options)
    },
  }
}
