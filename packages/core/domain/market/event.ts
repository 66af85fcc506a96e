/**
 * Market events. Prices and sizes are plain decimal strings as the source wrote them (normalised by `dec`/`str`);
 * times are integer milliseconds UTC. A `Tick` is what a feed yields; a `MarketEvent` is what the market log
 * holds: it has its place (mseq, gapless from 1) and its market time (mts, never falling).
 */
export type Side = 'buy' | 'sell'
export type SymbolStatus = 'open' | 'closed' | 'halted' | 'unknown' | 'settled'
export type Synthetic = 'trades' | 'candles'
/** [price, size], best first. */
export type Level = readonly [price: string, size: string]

interface FromSource {
  symbol: string
  venue: string
  /** source time, ms */
  ts: number
  /** source position: a recording's line number, or the venue's sequence */
  pos: number
  synthetic?: Synthetic
}
/** bid/ask without sizes have the instrument's `clip` as size. */
export interface QuoteTick extends FromSource {
  kind: 'quote'
  bid: string
  ask: string
  bid_size?: string
  ask_size?: string
}
/** side = taker's side. A print may make a quote at once: one recorded print is one event, so bid and ask ride on it. */
export interface TradeTick extends FromSource {
  kind: 'trade'
  price: string
  size: string
  side: Side
  bid?: string
  ask?: string
  bid_size?: string
  ask_size?: string
}
/** top levels, at most 20 a side */
export interface LevelsTick extends FromSource {
  kind: 'levels'
  bids: Level[]
  asks: Level[]
}
export interface StateTick {
  kind: 'symbol_state'
  symbol: string
  venue: string
  ts: number
  pos: number
  state: SymbolStatus
  reason?: string
  /** settled only: the price at which positions are closed, 0 or 1 for outcome contracts */
  price?: string
}
/** A funding or swap rate; what it does is the instrument's schedule: book at once, or the coming instants. */
export interface RateTick {
  kind: 'rate'
  symbol: string
  venue: string
  ts: number
  pos: number
  what: 'funding' | 'swap'
  /** funding: of notional, longs pay a positive one */
  rate?: string
  /** swap: in the schedule's unit */
  long?: string
  short?: string
}
export interface SourceTick {
  kind: 'source_changed'
  symbol: string
  venue: string
  ts: number
  pos: number
  from: string
  reason: string
}
/** Group events: they belong to no symbol. A gap names its symbols, or all of them (null). */
export interface GapTick {
  kind: 'gap'
  ts: number
  pos: number
  symbols: string[] | null
  reason: string
}
export interface ClockTick {
  kind: 'clock'
  ts: number
  pos: number
}
export interface TimelineTick {
  kind: 'timeline'
  ts: number
  pos: number
  timeline: string
  reason: string
}

export type SymbolTick = QuoteTick | TradeTick | LevelsTick | StateTick | SourceTick | RateTick
export type GroupTick = GapTick | ClockTick | TimelineTick
export type Tick = SymbolTick | GroupTick
/** A tick in the market log. Canonical JSON of this object is what is hashed: no undefined members. */
export type MarketEvent = Tick & { mseq: number; mts: number }
/** The leaf group of an event: its symbol, or `group`. */
export const leafGroup = (e: Tick): string => ('symbol' in e ? e.symbol : 'group')
