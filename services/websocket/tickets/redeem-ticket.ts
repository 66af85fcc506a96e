import type { Actor } from '@assay/core/kernel/context'
import type { Cache } from '@assay/core/ports/cache/port'
import { type Ticket, ticketKey } from './ticket.ts'

/** The actor, once. A ticket that a page asked for is of no use to another origin, and is spent by the attempt. */
export async function redeemTicket(cache: Cache, secret: string, origin: string | null): Promise<Actor | null> {
  const ticket = await cache.take<Ticket>(ticketKey(secret))
  if (!ticket || (ticket.origin !== null && ticket.origin !== origin)) return null
  return ticket.actor
}
