import type { Side } from '@assay/core/domain/market/event'
import { type Columns, sideOf } from './columns.ts'
import { decimalText } from './decimal-text.ts'
import { type LocalTime, parseTime, toUtc } from './parse-time.ts'
import { symbolFrom } from './symbol-name.ts'

interface Read {
  line: number
  /** UTC ms */
  ts: number
  symbol: string
  /** the source's own number of it, where it has one */
  id?: string
}
export type QuoteRow = Read & { kind: 'quote'; bid: string; ask: string; bid_size?: string; ask_size?: string }
export type TradeRow = Read & { kind: 'trade'; price: string; size: string; side: Side }
export type CandleRow = Read & {
  kind: 'candle'
  open: string
  high: string
  low: string
  close: string
  volume: string | null
}
/** What a recorded line says, in UTC and plain decimals. */
export type Recorded = QuoteRow | TradeRow | CandleRow

export interface RowContext {
  columns: Columns
  zone: LocalTime
  /** of a recording without a symbol column */
  symbol: string | null
}

/** Reads lines one by one; what it can't read it names: `price "abc" is not a number`. */
export function rowParser({
  columns,
  zone,
  symbol,
}: RowContext): (line: number, cells: readonly string[]) => Recorded | string {
  const { at } = columns
  const symbols = new Map<string, string | null>()
  const last = { bid: '', ask: '' }

  const cellOf = (cells: readonly string[], index: number | undefined): string =>
    index === undefined ? '' : (cells[index] ?? '').trim()
  const symbolOf = (cells: readonly string[]): string | null => {
    if (at.symbol === undefined) return symbol
    const text = cellOf(cells, at.symbol)
    if (!symbols.has(text)) symbols.set(text, symbolFrom(text))
    return symbols.get(text)!
  }

  return (line, cells) => {
    const text = at.date === undefined ? cellOf(cells, at.time) : `${cellOf(cells, at.date)} ${cellOf(cells, at.time)}`
    const time = parseTime(text)
    if (!time) return `time ${JSON.stringify(text)} is not a time`
    const ts = time.zoned ? time.ms : toUtc(time.ms, zone)
    const name = symbolOf(cells)
    if (name === null) return `symbol ${JSON.stringify(cellOf(cells, at.symbol))} is not a pair`
    const id = cellOf(cells, at.id)
    const base = id === '' ? { line, ts, symbol: name } : { line, ts, symbol: name, id }
    let bad = ''
    const number = (field: 'bid' | 'ask' | 'price' | 'size' | 'open' | 'high' | 'low' | 'close'): string => {
      const value = decimalText(cellOf(cells, at[field]))
      if (value === null) bad = `${field} ${JSON.stringify(cellOf(cells, at[field]))} is not a number`
      return value ?? ''
    }
    const optional = (field: 'bid_size' | 'ask_size' | 'volume'): string | null => decimalText(cellOf(cells, at[field]))

    if (columns.kind === 'quotes') {
      if (columns.sparse) fill(cells as string[], last, at)
      const row: QuoteRow = { kind: 'quote', ...base, bid: number('bid'), ask: number('ask') }
      const bidSize = optional('bid_size')
      const askSize = optional('ask_size')
      if (bidSize && bidSize !== '0') row.bid_size = bidSize
      if (askSize && askSize !== '0') row.ask_size = askSize
      return bad || row
    }
    if (columns.kind === 'candles') {
      const row: CandleRow = {
        kind: 'candle',
        ...base,
        open: number('open'),
        high: number('high'),
        low: number('low'),
        close: number('close'),
        volume: optional('volume'),
      }
      return bad || row
    }
    const side = at.side === undefined ? makerSide(cellOf(cells, at.maker)) : sideOf(cellOf(cells, at.side))
    if (!side) return `side ${JSON.stringify(cellOf(cells, at.side ?? at.maker))} is neither buy nor sell`
    const row: TradeRow = { kind: 'trade', ...base, price: number('price'), size: number('size'), side }
    return bad || row
  }
}

/** The buyer made the price: the taker sold. */
function makerSide(text: string): Side | null {
  const flag = text.toLowerCase()
  if (flag === 'true' || flag === '1') return 'sell'
  return flag === 'false' || flag === '0' ? 'buy' : null
}

/** MetaTrader leaves a side empty that did not change. */
function fill(cells: string[], last: { bid: string; ask: string }, at: Columns['at']): void {
  for (const side of ['bid', 'ask'] as const) {
    const index = at[side]!
    if (cells[index]?.trim()) last[side] = cells[index]
    else cells[index] = last[side]
  }
}
