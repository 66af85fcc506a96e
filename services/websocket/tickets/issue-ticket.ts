import type { Cache } from '@assay/core/ports/cache/port'
import { type Ticket, ticketKey } from './ticket.ts'

/** 128 random bits that stand for the actor once, within `ttlMs`. */
export async function issueTicket(cache: Cache, ticket: Ticket, ttlMs: number): Promise<string> {
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
  await cache.set(ticketKey(secret), ticket, ttlMs)
  return secret
}
