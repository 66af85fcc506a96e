import { seal, unseal } from '@assay/core/ports/secrets/seal'

/** What a ticket stands for. */
export interface Ticket {
  /** the credential that asked for it, under a key that only the ticket gives */
  sealed: string
  /** where the page that asked was served from; null: not a browser */
  origin: string | null
}
const digest = (text: string) => new Bun.CryptoHasher('sha256').update(text)
const CONTEXT = 'websocket ticket'
const keyOf = (secret: string): Uint8Array => digest(`${CONTEXT} key ${secret}`).digest()

/** The cache sees neither the ticket nor what it stands for. */
export const ticketKey = (secret: string): string => `websocket:ticket:${digest(secret).digest('hex')}`
export const sealCredential = (secret: string, credential: string): string =>
  seal(keyOf(secret), new TextEncoder().encode(credential), CONTEXT)
export const openCredential = (secret: string, { sealed }: Ticket): string =>
  new TextDecoder().decode(unseal(keyOf(secret), sealed, CONTEXT))
