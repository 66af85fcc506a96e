import type { ChannelEvent } from '@assay/core/kernel/channel'
import { encodeMessage, type Format, type Frame } from './codec.ts'
import type { ServerMessage } from './protocol.ts'

/** One message on its way to any number of clients: encoded at most once per format. */
export interface Outgoing {
  message: ServerMessage
  /** under pressure a newer one with this key takes its place; null: never dropped */
  conflate: string | null
  /** monotonic ms when the source pushed it */
  at: number
  json?: Frame
  msgpack?: Frame
}
export function frameOf(outgoing: Outgoing, format: Format): Frame {
  outgoing[format] ??= encodeMessage(format, outgoing.message)
  return outgoing[format]
}
export function eventOf(channel: string, event: ChannelEvent, at: number): Outgoing {
  const message: ServerMessage = { type: 'event', channel, seq: event.seq, ts: event.ts, data: event.data }
  if (event.kind === 'mark') message.kind = 'mark'
  if (event.mseq !== undefined) message.mseq = event.mseq
  return { message, conflate: conflationKey(channel, event), at }
}
export const controlOf = (message: ServerMessage, at: number): Outgoing => ({ message, conflate: null, at })

function conflationKey(channel: string, event: ChannelEvent): string | null {
  if (event.kind === 'mark') return `mark ${channel} ${event.conflate ?? ''}`
  return event.conflate === undefined ? null : `event ${channel} ${event.conflate}`
}
