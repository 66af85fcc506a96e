import type { Cache } from '@assay/core/ports/cache/port'
import { openCredential, type Ticket, ticketKey } from './ticket.ts'

/** The credential that asked for it, once: it may have ended since. A ticket that a page asked for is of no use to another origin, and is spent by the attempt. */
export async function redeemTicket(cache: Cache, secret: string, origin: string | null): Promise<string | null> {
  const ticket = await cache.take<Ticket>(ticketKey(secret))
  if (!ticket || (ticket.origin !== null && ticket.origin !== origin)) return null
  return openCredential(secret, ticket)
}
