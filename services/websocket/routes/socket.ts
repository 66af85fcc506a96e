import { AssayError } from '@assay/core/contracts/errors'
import { withCtx } from '@assay/core/kernel/edge'
import { toProblem } from '@assay/core/kernel/problem'
import { ADMITTED, RELAYED, refusedAs } from '@assay/core/kernel/relayed-socket'
import { credentialOf, isInternal } from '@assay/core/kernel/request'
import type { Cache } from '@assay/core/ports/cache/port'
import type { ServerWebSocket } from 'bun'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { authenticate } from '../connect/authenticate.ts'
import { checkOrigin } from '../connect/check-origin.ts'
import { readOffer } from '../connect/read-offer.ts'
import { takeSeat } from '../connect/seats.ts'
import { Connection } from '../push/connection.ts'
import type { Hub } from '../push/hub.ts'

const Query = z.object({
  token: z.string().max(200).optional().describe('A ticket of POST /api/ws/ticket; access tokens are refused here'),
  format: z.enum(['json', 'msgpack']).optional(),
  assessment_id: z.string().max(64).optional().describe('Routes to the same replica; any replica serves any channel'),
})

/** A gateway alone wants to hear first what became of its client. */
function saying(frame: string, data: Connection): Connection {
  const open = data.open.bind(data)
  data.open = (socket) => {
    socket.send(frame)
    open(socket)
  }
  return data
}
const refusal = (frame: string) => ({
  open(socket: ServerWebSocket<unknown>) {
    socket.send(frame)
    socket.close(1000)
  },
})

/** Upgrades by hand instead of Elysia's `.ws`: that wraps each message in objects of its own (3 times the CPU, README). */
export const socketRoutes = (hub: Hub, cache: Cache, origins: readonly string[]) =>
  new Elysia({ name: 'websocket.socket' }).use(withCtx).get(
    '/ws',
    async ({ ctx, request, server, query }) => {
      const { headers } = request
      if (headers.get('upgrade')?.toLowerCase() !== 'websocket' || !server)
        throw new AssayError('bad_request', 'Open a WebSocket here.')
      const relayed = isInternal(request) && headers.has(RELAYED)
      const upgrade = (data: object, protocol: string | null | undefined) =>
        server.upgrade(request, { data, headers: protocol ? { 'sec-websocket-protocol': protocol } : {} })
      try {
        checkOrigin(headers, origins, relayed)
        const offer = readOffer(headers, query.format)
        const credentials = {
          token: offer.token,
          ticket: query.token,
          sent: credentialOf(headers),
          origin: headers.get('origin'),
        }
        const { actor, credential } = await authenticate({ tokens: hub.tokens, cache }, ctx, credentials)

        const seat = await takeSeat(hub, actor.userId)
        const caller = { requestId: ctx.requestId, address: ctx.address, actor, credential }
        const data = new Connection(hub, caller, offer.format, seat)
        if (upgrade(relayed ? saying(ADMITTED, data) : data, offer.answer)) return
        void seat.leave()
        throw new AssayError('bad_request', 'The WebSocket handshake is not complete.')
      } catch (error) {
        if (!relayed || !(error instanceof AssayError)) throw error
        const refused = refusedAs(toProblem(error, '/ws', ctx.requestId))
        upgrade(refusal(refused), headers.get('sec-websocket-protocol')?.split(',')[0]?.trim())
      }
    },
    {
      query: Query,
      // OpenAPI has no words for what follows the handshake: the messages are in this service's README
      detail: { hide: true },
    },
  )
