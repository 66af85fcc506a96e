import type { Actor } from '@assay/core/kernel/context'

/** What a ticket stands for. */
export interface Ticket {
  actor: Actor
  /** where the page that asked was served from; null: not a browser */
  origin: string | null
}
/** The cache never sees the ticket itself. */
export const ticketKey = (secret: string): string =>
  `websocket:ticket:${new Bun.CryptoHasher('sha256').update(secret).digest('hex')}`
