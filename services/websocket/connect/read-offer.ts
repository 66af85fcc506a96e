import { AssayError } from '@assay/core/contracts/errors'
import type { Format } from '../push/codec.ts'

export interface Offer {
  /** the access token that follows `bearer` */
  token: string | null
  format: Format
  /** the one subprotocol to answer with */
  answer: string | null
}
/** `Sec-WebSocket-Protocol: bearer, <token>[, msgpack]`; the format may come as `?format=` instead. Throws bad_request where no offer is known. */
export function readOffer(headers: Headers, format: Format | undefined): Offer {
  const offered = (headers.get('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim())
  const bearer = offered.indexOf('bearer')
  const token = bearer < 0 ? null : (offered.splice(bearer, 2)[1] ?? '')
  const named = offered.find((name): name is Format => name === 'msgpack' || name === 'json')
  const answer = token === null ? (named ?? null) : 'bearer'
  // Bun would agree to the first offer, whatever it is
  if (answer === null && offered.some(Boolean))
    throw new AssayError('bad_request', 'The subprotocols are bearer, json and msgpack.')
  return { token, format: format ?? named ?? 'json', answer }
}
