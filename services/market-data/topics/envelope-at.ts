import type { MarketEvent } from '@assay/core/domain/market/event'
import type { Envelope, Topic } from '@assay/core/ports/bus/port'

export interface Placed {
  key: string
  data: unknown
  /** tells apart what one event says on one topic */
  part?: string
}
/** What an event of the log says on a topic: the same envelope whoever publishes it, so that a repeat is seen as one. */
export function envelopeAt<T>(topic: Topic<T>, { mseq, mts }: MarketEvent, { key, data, part = '' }: Placed): Envelope {
  const ts = new Date(mts).toISOString()
  const id = idOf(mts, `${topic.name} ${key} ${mseq} ${part}`)
  return { id, topic: topic.name, key, ts, producer: topic.producer, version: 1, trace: null, seq: 0, data }
}
/** A version 7 UUID of a market time and a name instead of chance. */
function idOf(mts: number, name: string): string {
  const hash = new Bun.CryptoHasher('sha256').update(name).digest('hex')
  const time = Math.max(0, Math.floor(mts)).toString(16).padStart(12, '0').slice(-12)
  const variant = '89ab'[Number.parseInt(hash[3]!, 16) & 3]
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`
}
