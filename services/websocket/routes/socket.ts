import { AssayError } from '@assay/core/contracts/errors'
import { withCtx } from '@assay/core/kernel/edge'
import type { Cache } from '@assay/core/ports/cache/port'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { authenticate } from '../connect/authenticate.ts'
import { checkOrigin } from '../connect/check-origin.ts'
import { readOffer } from '../connect/read-offer.ts'
import { leaveSeat, takeSeat } from '../connect/seats.ts'
import { Connection } from '../push/connection.ts'
import type { Hub } from '../push/hub.ts'

const Query = z.object({
  token: z.string().max(200).optional().describe('A ticket of POST /api/ws/ticket; access tokens are refused here'),
  format: z.enum(['json', 'msgpack']).optional(),
  assessment_id: z.string().max(64).optional().describe('Routes to the same replica; any replica serves any channel'),
})

/** Upgrades by hand instead of Elysia's `.ws`: that wraps each message in objects of its own (3 times the CPU, README). */
export const socketRoutes = (hub: Hub, cache: Cache, origins: readonly string[]) =>
  new Elysia({ name: 'websocket.socket' }).use(withCtx).get(
    '/ws',
    async ({ ctx, request, server, query }) => {
      const { headers } = request
      if (headers.get('upgrade')?.toLowerCase() !== 'websocket' || !server)
        throw new AssayError('bad_request', 'Open a WebSocket here.')
      checkOrigin(headers, origins)
      const offer = readOffer(headers, query.format)
      const credentials = { token: offer.token, ticket: query.token, origin: headers.get('origin') }
      const actor = await authenticate({ tokens: hub.tokens, cache }, ctx, credentials)

      takeSeat(hub, actor.userId)
      const data = new Connection(hub, { requestId: ctx.requestId, address: ctx.address, actor }, offer.format)
      if (!server.upgrade(request, { data, headers: offer.answer ? { 'sec-websocket-protocol': offer.answer } : {} })) {
        leaveSeat(hub, actor.userId)
        throw new AssayError('bad_request', 'The WebSocket handshake is not complete.')
      }
    },
    {
      query: Query,
      // OpenAPI has no words for what follows the handshake: the messages are in this service's README
      detail: { hide: true },
    },
  )
