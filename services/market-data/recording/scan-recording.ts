import { places, unitOf } from './decimal-text.ts'
import { openRecording, type Recording, type RecordingOptions } from './open-recording.ts'
import type { Recorded } from './parse-row.ts'
import { type Corrupt, readRecording } from './read-recording.ts'
import { RecordingError } from './row.ts'

/** How many corrupt lines are quoted; all are counted. */
export const QUOTED_LINES = 5

export interface SymbolScan {
  symbol: string
  rows: number
  firstTs: number
  lastTs: number
  /** 10^-n, the finest written */
  priceTick: string
  /** null: the recording has no sizes */
  quantityStep: string | null
  /** the largest size written */
  maxSize: string | null
}
export interface Scan {
  recording: Recording
  kind: Recorded['kind']
  symbols: SymbolScan[]
  rows: number
  firstTs: number
  lastTs: number
  /** of candles: the smallest distance of two, ms; null otherwise */
  candleMs: number | null
  corrupt: { count: number; first: Corrupt[] }
  notices: string[]
}

interface Seen {
  rows: number
  first: number
  last: number
  price: number
  size: number | null
  maxSize: string | null
  candleMs: number
}

const prices = (row: Recorded): string[] =>
  row.kind === 'quote'
    ? [row.bid, row.ask]
    : row.kind === 'trade'
      ? [row.price]
      : [row.open, row.high, row.low, row.close]
/** A candle's volume is no size: nobody printed it. */
const sizes = (row: Recorded): (string | undefined)[] =>
  row.kind === 'quote' ? [row.bid_size, row.ask_size] : row.kind === 'trade' ? [row.size] : []

function see(seen: Seen, row: Recorded): void {
  if (row.kind === 'candle' && seen.rows > 0 && row.ts > seen.last)
    seen.candleMs = Math.min(seen.candleMs, row.ts - seen.last)
  seen.rows++
  seen.first = Math.min(seen.first, row.ts)
  seen.last = Math.max(seen.last, row.ts)
  for (const price of prices(row)) seen.price = Math.max(seen.price, places(price))
  for (const size of sizes(row)) {
    if (!size) continue
    seen.size = Math.max(seen.size ?? 0, places(size))
    if (seen.maxSize === null || Number(size) > Number(seen.maxSize)) seen.maxSize = size
  }
}

/** Reads a recording once: layout, symbols, finest tick and step, range, and what can't be read. */
export async function scanRecording(
  options: RecordingOptions,
  onProgress?: (done: { bytes: number; of: number }) => void,
): Promise<Scan> {
  const recording = await openRecording(options)
  const bySymbol = new Map<string, Seen>()
  const corrupt: Scan['corrupt'] = { count: 0, first: [] }
  for await (const batch of readRecording(recording)) {
    for (const row of batch.rows) {
      let seen = bySymbol.get(row.symbol)
      if (!seen) {
        seen = {
          rows: 0,
          first: row.ts,
          last: row.ts,
          price: 0,
          size: null,
          maxSize: null,
          candleMs: Number.POSITIVE_INFINITY,
        }
        bySymbol.set(row.symbol, seen)
      }
      see(seen, row)
    }
    corrupt.count += batch.corrupt.length
    for (const line of batch.corrupt) if (corrupt.first.length < QUOTED_LINES) corrupt.first.push(line)
    onProgress?.({ bytes: batch.bytes, of: recording.bytes })
  }
  if (bySymbol.size === 0) throw new RecordingError(nothing(recording, corrupt), recording.only ? 'symbol' : 'columns')
  const all = [...bySymbol.values()]
  const candleMs = Math.min(...all.map((s) => s.candleMs))
  return {
    recording,
    kind: ({ quotes: 'quote', trades: 'trade', candles: 'candle' } as const)[recording.columns.kind],
    symbols: [...bySymbol.keys()].sort().map((symbol) => {
      const seen = bySymbol.get(symbol)!
      return {
        symbol,
        rows: seen.rows,
        firstTs: seen.first,
        lastTs: seen.last,
        priceTick: unitOf(seen.price),
        quantityStep: seen.size === null ? null : unitOf(seen.size),
        maxSize: seen.maxSize,
      }
    }),
    rows: all.reduce((n, s) => n + s.rows, 0),
    firstTs: Math.min(...all.map((s) => s.first)),
    lastTs: Math.max(...all.map((s) => s.last)),
    candleMs: Number.isFinite(candleMs) ? candleMs : null,
    corrupt,
    notices: recording.notices,
  }
}

function nothing(recording: Recording, corrupt: Scan['corrupt']): string {
  const example = corrupt.first[0]
  if (example) return `no line of ${recording.file} can be read; line ${example.line}: ${example.reason}`
  return recording.only ? `${recording.file} has no line of ${recording.only}` : `${recording.file} has no rows`
}
