import type { Tick } from '@assay/core/domain/market/event'
import type { CandleTick, FeedTick } from '../quality/feed-tick.ts'
import { Quality, type QualityCounters, type Quarantined } from '../quality/quality.ts'
import type { Recorded } from '../recording/parse-row.ts'
import { type Corrupt, readRecording } from '../recording/read-recording.ts'
import type { Scan } from '../recording/scan-recording.ts'
import { quotesFromCandles } from './quotes-from-candles.ts'
import { quotesFromTrades } from './quotes-from-trades.ts'

/** A recording may be this much out of order and is put right; what is later still is quarantined. */
const REORDER_MS = 2000
const VENUE = 'replay'
const DEFAULT_CANDLE_MS = 60_000

/** What quotes are made with, by symbol: the price tick, and the spread of candles in ticks. */
export type QuoteSettings = ReadonlyMap<string, { price_tick: string; candle_spread_ticks: string }>

export interface RecordedTicksOptions {
  scan: Scan
  instruments: QuoteSettings
  onQuarantine?: (bad: Quarantined) => void
  onCorrupt?: (line: Corrupt) => void
  onProgress?: (done: { bytes: number; of: number }) => void
}

/** The accepted ticks of a recording with the quotes it lacks, in order of recorded time. The result holds the counters. */
export async function* recordedTicks(options: RecordedTicksOptions): AsyncGenerator<Tick[], QualityCounters> {
  const { scan } = options
  const quality = new Quality({ source: VENUE, reorderMs: REORDER_MS, quarantine: options.onQuarantine ?? (() => {}) })
  const finish = finisher(options)
  for await (const batch of readRecording(scan.recording)) {
    for (const line of batch.corrupt) options.onCorrupt?.(line)
    for (const row of batch.rows) quality.offer(tickOf(row), row.id)
    const ticks = finish(quality.take())
    options.onProgress?.({ bytes: batch.bytes, of: scan.recording.bytes })
    if (ticks.length > 0) yield ticks
  }
  const rest = finish(quality.flush(), true)
  if (rest.length > 0) yield rest
  return quality.counters
}

function tickOf(row: Recorded): FeedTick {
  const base = { symbol: row.symbol, venue: VENUE, ts: row.ts, pos: row.line }
  switch (row.kind) {
    case 'trade':
      return { kind: 'trade', ...base, price: row.price, size: row.size, side: row.side }
    case 'candle':
      return { kind: 'candle', ...base, open: row.open, high: row.high, low: row.low, close: row.close }
    case 'quote': {
      const sizes = { ...(row.bid_size && { bid_size: row.bid_size }), ...(row.ask_size && { ask_size: row.ask_size }) }
      return { kind: 'quote', ...base, bid: row.bid, ask: row.ask, ...sizes }
    }
  }
}

/** Accepted ticks -> ticks with quotes. */
function finisher({ scan, instruments }: RecordedTicksOptions): (ticks: FeedTick[], last?: boolean) => Tick[] {
  const settings = (symbol: string) => {
    const found = instruments.get(symbol)
    if (!found) throw new RangeError(`no instrument for ${symbol}`)
    return found
  }
  const trades = perSymbol((symbol) => quotesFromTrades(settings(symbol).price_tick))
  const candles = perSymbol((symbol) => {
    const { price_tick, candle_spread_ticks } = settings(symbol)
    const candleMs = scan.candleMs ?? DEFAULT_CANDLE_MS
    return quotesFromCandles({
      priceTick: price_tick,
      spreadTicks: candle_spread_ticks,
      candleMs,
      candleTime: scan.recording.candleTime,
    })
  })
  if (scan.kind !== 'candle')
    return (ticks) => ticks.map((tick) => (tick.kind === 'trade' ? trades(tick.symbol)(tick) : (tick as Tick)))

  // candles of several symbols overlap: their quotes wait until no earlier one can come
  let waiting: Tick[] = []
  return (ticks, last = false) => {
    const made = (ticks as CandleTick[]).flatMap((tick) => candles(tick.symbol)(tick))
    const sorted = [...waiting, ...made].sort((a, b) => a.ts - b.ts)
    const newest = ticks.at(-1)
    const start =
      newest && (scan.recording.candleTime === 'open' ? newest.ts : newest.ts - (scan.candleMs ?? DEFAULT_CANDLE_MS))
    const ready = last ? sorted.length : sorted.findIndex((tick) => tick.ts >= (start ?? Number.NEGATIVE_INFINITY))
    waiting = ready < 0 ? [] : sorted.slice(ready)
    return ready < 0 ? sorted : sorted.slice(0, ready)
  }
}

function perSymbol<T>(make: (symbol: string) => T): (symbol: string) => T {
  const made = new Map<string, T>()
  return (symbol) => {
    let one = made.get(symbol)
    if (!one) {
      one = make(symbol)
      made.set(symbol, one)
    }
    return one
  }
}
