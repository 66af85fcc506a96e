import { sourceChanged, ticksTopic } from '@assay/core/contracts/topics/market-data'
import type { Bus } from '@assay/core/ports/bus/port'
import type { MarketLog } from '@assay/core/ports/marketlog/port'

/** Writes the `*-ticks` topics, and `source-changed`, by reading the log from its end on: valid events only, keyed by symbol. */
export async function publishTicks(marketlog: MarketLog, bus: Bus, group: string, signal: AbortSignal): Promise<void> {
  const end = await marketlog.end(group)
  for await (const events of marketlog.read(group, (end?.mseq ?? 0) + 1, signal)) {
    for (const event of events) {
      if (signal.aborted) return
      if (event.kind === 'source_changed') {
        const { symbol, from, venue: to, reason, mseq, mts } = event
        await bus.publish(sourceChanged, symbol, { symbol, from, to, reason, mseq, mts })
      }
      if ('symbol' in event) await bus.publish(ticksTopic(event.symbol, event.venue), event.symbol, event)
    }
  }
}
