import type { MarketLog } from '@assay/core/ports/marketlog/port'
import type { Market } from './market.ts'

/** How much of the log is read again at a start. */
const HISTORY_EVENTS = 250_000
/** events applied in one turn of the event loop */
const SLICE = 256

/** Keeps the products level with the log until the signal aborts; `onLevel` when the end found at the start is reached. */
export async function followMarket(
  market: Market,
  log: MarketLog,
  group: string,
  signal: AbortSignal,
  onLevel: () => void,
): Promise<void> {
  const end = (await log.end(group))?.mseq ?? 0
  if (end === 0) onLevel()
  const start = await log.carry(group, Math.max(0, end - HISTORY_EVENTS))
  market.carry(start.events, start.from)
  for await (const events of log.read(group, start.from, signal)) {
    for (let at = 0; at < events.length; at += SLICE) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve))
      for (const event of events.slice(at, at + SLICE)) market.apply(event)
    }
    if (market.view.mseq >= end && events[0]!.mseq <= end) onLevel()
  }
}
