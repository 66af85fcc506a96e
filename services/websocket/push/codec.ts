import { AssayError } from '@assay/core/contracts/errors'
import { decode, encode } from '@msgpack/msgpack'
import type { ServerMessage } from './protocol.ts'

export type Format = 'json' | 'msgpack'
/** Text goes out as a text frame, bytes as a binary one. */
export interface Frame {
  data: string | Uint8Array<ArrayBuffer>
  bytes: number
}
export function encodeMessage(format: Format, message: ServerMessage): Frame {
  if (format === 'json') {
    const data = JSON.stringify(message)
    return { data, bytes: Buffer.byteLength(data) }
  }
  const data = encode(message, { ignoreUndefined: true })
  return { data, bytes: data.byteLength }
}
/** A client's message by its frame type: text is JSON, binary MessagePack, whatever it asked to receive. */
export function decodeMessage(raw: string | Uint8Array): unknown {
  try {
    return typeof raw === 'string' ? JSON.parse(raw) : decode(raw)
  } catch (cause) {
    throw new AssayError('malformed_body', typeof raw === 'string' ? 'Send JSON.' : 'Send MessagePack.', { cause })
  }
}
