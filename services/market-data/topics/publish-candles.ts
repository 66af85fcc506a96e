import { candleChanged } from '@assay/core/contracts/topics/market-data'
import { type Bar, barStart, RESOLUTIONS, type Resolution, resolutionMs } from '@assay/core/domain/candles/bar'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { str } from '@assay/core/domain/money/dec'
import type { Bus, Envelope } from '@assay/core/ports/bus/port'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import type { Market } from '../products/market.ts'
import { type MarketSymbol, movesCandles } from '../symbols/market-symbol.ts'
import { envelopeAt } from './envelope-at.ts'

export interface CandlesTopic {
  market: Market
  marketlog: MarketLog
  bus: Pick<Bus, 'publishEnvelopes'>
  group: string
  /** first event to publish */
  from: number
  /** market time of the event before it */
  mts: number
  /** everything up to this event is published */
  onPublished: (mseq: number) => void
}
const NAMES = Object.keys(RESOLUTIONS) as Resolution[]

/**
 * Writes `market-data.candles` by reading the log: a candle on its symbol's own basis when market time
 * has passed its end, again under a higher revision when a late print corrects it. What nothing happened in is not told.
 */
export async function publishCandles(topic: CandlesTopic, signal: AbortSignal): Promise<void> {
  const { market, marketlog, bus, group, onPublished } = topic
  let { mts } = topic
  for await (const events of marketlog.read(group, topic.from, signal)) {
    await market.reached(events.at(-1)!.mseq, signal)
    const envelopes: Envelope[] = []
    for (const event of events) {
      for (const candle of [...closedBetween(market, mts, event), ...correctedBy(market, mts, event)]) {
        const { symbol: key, resolution, open_time, revision } = candle
        envelopes.push(
          envelopeAt(candleChanged, event, { key, data: candle, part: `${resolution} ${open_time} ${revision}` }),
        )
      }
      mts = event.mts
    }
    if (signal.aborted) return
    if (envelopes.length > 0) await bus.publishEnvelopes(envelopes)
    onPublished(events.at(-1)!.mseq)
  }
}

type Candle = ReturnType<typeof candleOf>
/** Candles that were open at `from` and that the event's time ends. */
function closedBetween(market: Market, from: number, event: MarketEvent): Candle[] {
  // the finest ends with every other one
  if (barStart(from, '1s') + resolutionMs('1s') > event.mts) return []
  return NAMES.filter((name) => barStart(from, name) + resolutionMs(name) <= event.mts).flatMap((name) =>
    market.listed.flatMap((symbol) => candleAt(market, symbol, name, from, event.mseq)),
  )
}
/** Candles that had ended by `now`, when an event of theirs came. */
function correctedBy(market: Market, now: number, event: MarketEvent): Candle[] {
  const symbol = 'symbol' in event ? market.find(event.symbol) : undefined
  if (!symbol || !movesCandles(symbol.basis, event)) return []
  return NAMES.filter((name) => barStart(event.ts, name) + resolutionMs(name) <= now).flatMap((name) =>
    candleAt(market, symbol, name, event.ts, event.mseq),
  )
}

function candleAt(market: Market, symbol: MarketSymbol, name: Resolution, ts: number, mseq: number): Candle[] {
  const { instrument, basis } = symbol
  const bar = market.of(instrument.symbol)!.candles[basis].at(name, ts)
  return bar ? [candleOf(instrument.symbol, name, bar, mseq)] : []
}
const candleOf = (symbol: string, resolution: Resolution, bar: Bar, mseq: number) => ({
  symbol,
  resolution,
  open_time: bar.openTime,
  revision: bar.revision,
  closed: true,
  open: str(bar.open),
  high: str(bar.high),
  low: str(bar.low),
  close: str(bar.close),
  volume: str(bar.volume),
  mseq,
})
