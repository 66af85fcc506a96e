import type { Cache } from '@assay/core/ports/cache/port'
import { sealCredential, type Ticket, ticketKey } from './ticket.ts'

export interface TicketFor extends Pick<Ticket, 'origin'> {
  credential: string
}

/** 128 random bits that stand for the credential once, within `ttlMs`. */
export async function issueTicket(cache: Cache, { credential, origin }: TicketFor, ttlMs: number): Promise<string> {
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
  const ticket: Ticket = { sealed: sealCredential(secret, credential), origin }
  await cache.set(ticketKey(secret), ticket, ttlMs)
  return secret
}
