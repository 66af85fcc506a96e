import { sourceChanged, ticksTopic } from '@assay/core/contracts/topics/market-data'
import type { MarketEvent } from '@assay/core/domain/market/event'
import type { Bus, Envelope } from '@assay/core/ports/bus/port'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { envelopeAt } from './envelope-at.ts'

export interface TicksTopics {
  marketlog: MarketLog
  bus: Pick<Bus, 'publishEnvelopes'>
  group: string
  /** first event to publish */
  from: number
  /** everything up to this event is published */
  onPublished: (mseq: number) => void
}

/** Writes the `*-ticks` topics, and `source-changed`, by reading the log: valid events only, keyed by symbol. */
export async function publishTicks(topics: TicksTopics, signal: AbortSignal): Promise<void> {
  const { marketlog, bus, group, from, onPublished } = topics
  for await (const events of marketlog.read(group, from, signal)) {
    const envelopes = events.flatMap(envelopesOf)
    if (envelopes.length > 0) await bus.publishEnvelopes(envelopes)
    if (signal.aborted) return
    onPublished(events.at(-1)!.mseq)
  }
}
function envelopesOf(event: MarketEvent): Envelope[] {
  if (!('symbol' in event)) return []
  const tick = envelopeAt(ticksTopic(event.symbol, event.venue), event, { key: event.symbol, data: event })
  if (event.kind !== 'source_changed') return [tick]
  const { symbol, from, venue: to, reason, mseq, mts } = event
  return [envelopeAt(sourceChanged, event, { key: symbol, data: { symbol, from, to, reason, mseq, mts } }), tick]
}
