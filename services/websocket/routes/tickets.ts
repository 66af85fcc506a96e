import { AssayError } from '@assay/core/contracts/errors'
import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { credentialOf } from '@assay/core/kernel/request'
import type { Cache } from '@assay/core/ports/cache/port'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { LIMITS } from '../limits.ts'
import { issueTicket } from '../tickets/issue-ticket.ts'

const TicketAnswer = z.object({
  ticket: z.string().describe('Good for one connection: /ws?token='),
  expires_in: z.number().describe('Seconds'),
})

export const ticketRoutes = (cache: Cache, ttlMs = LIMITS.ticketTtlMs) =>
  new Elysia({ name: 'websocket.tickets' }).use(withCtx).post(
    '/api/ws/ticket',
    async ({ ctx, request, set }) => {
      requireActor(ctx)
      const { headers } = request
      const credential = credentialOf(headers)
      if (!credential) throw new AssayError('unauthorized', 'A ticket stands for a credential that was sent.')
      const ticket = await issueTicket(cache, { credential, origin: headers.get('origin') }, ttlMs)
      set.status = 201
      set.headers['cache-control'] = 'no-store'
      return { ticket, expires_in: ttlMs / 1000 }
    },
    {
      response: { 201: TicketAnswer },
      detail: { operationId: 'createWsTicket', tags: ['live'], summary: 'A single-use ticket for the WebSocket' },
    },
  )
