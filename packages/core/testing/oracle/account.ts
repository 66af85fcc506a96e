import type { AccountSpec, OrderBody, OrderType, Phase, Rule, TimeInForce } from '../../domain/engine/types.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'
import type { Side } from '../../domain/market/event.ts'
import type { Breaches, Line } from './breach.ts'
import type { Newest, OracleMarket } from './market.ts'

export interface Position {
  /** the order that opened it */
  id: string
  symbol: string
  quantity: bigint
  cost: bigint
  openedAt: number
  openedDay: number
}
/** How far a trailing stop stays behind: in price, or in per cent of the best price. */
export interface Distance {
  offset: bigint | null
  pct: bigint | null
}
export interface Exits {
  takeProfit: bigint | null
  stop: bigint | null
  stopLimit: bigint | null
  trail: Distance | null
  born: boolean
}
export interface Order {
  /** the client's name for it, with `.tp`, `.sl` or `.stop` for what belongs to it */
  id: string
  symbol: string
  side: Side
  type: OrderType
  tif: TimeInForce
  quantity: bigint
  filled: bigint
  price: bigint | null
  /** null once it has triggered */
  stop: bigint | null
  trail: Distance | null
  activation: bigint | null
  best: bigint | null
  reduceOnly: boolean
  postOnly: boolean
  expiresAt: number | null
  arrivesAt: number | null
  ahead: bigint | null
  exits: Exits | null
  parent: string | null
  partner: string | null
  /** hedging: the ticket that it reduces */
  ticket: string | null
  status: 'pending' | 'working' | 'filled' | 'cancelled' | 'expired'
  reason?: string
}
/** `size` is the level's as it was written when it was taken from: null is not the clip in figures. */
export interface Taken {
  symbol: string
  side: OrderBody['side']
  price: bigint
  size: bigint | null
  quantity: bigint
}
/** The money of one phase: a finished phase keeps its own until its last position is closed. */
export interface Book {
  phase: number
  balance: bigint
  positions: Position[]
  taken: Taken[]
}
export interface Day {
  k: number
  start: number
  next: number
  balance: bigint
  equity: bigint
  high: bigint
  opened: boolean
  openedAndClosed: boolean
  orders: number
  gross: bigint
}
export interface RuleState {
  floor: bigint | null
  high: bigint | null
  reachedAt: number | null
  days: number
  short: number
  best: bigint | null
  sum: bigint
  positive: bigint
  allowed: bigint | null
  due: number | null
  left: number | null
  warned: number
  saidOn: number | null
}
/** A position from its opening to its end, as rules count trades. */
export interface Trade {
  position: string
  symbol: string
  side: Side
  openedAt: number
  gross: bigint
  net: bigint
}
export interface Idea {
  withinS: number
  symbol: string
  side: Side
  realised: bigint
  flatSince: number | null
}
/** One entry as the lot rule sees it: how much it opened, and in which week. */
export interface Lot {
  order: string
  symbol: string
  week: number
  size: bigint
}
/** A breach found while a feed was lost: what it was computed from, to be computed again with the marks to come. */
export interface Doubt {
  at: number
  book: Book
  ideas: Idea[]
  marks: Map<string, Newest>
  breaches: Breaches
  /** the limit that it is kept for, and how far it was beyond it */
  index: number
  gap: bigint
}
/** The breach that was said, and the deepest of each limit crossed since, as they came. */
export interface Provisional {
  first: Doubt | null
  later: Doubt[]
}

export interface Account {
  id: string
  spec: AccountSpec
  status: 'none' | 'created' | 'started' | 'paused' | 'passed' | 'failed' | 'abandoned' | 'expired'
  phase: number
  book: Book
  orders: Order[]
  day: Day
  rules: RuleState[]
  trades: Trade[]
  closedTrades: number
  ideas: Idea[]
  lots: Lot[]
  firstFill: number | null
  lastFill: number | null
  lock: { rule: number; until: number } | null
  liquidations: { position: string; symbol: string; order: 'lock' | 'flat' }[]
  pauses: { count: number; total: number; since: number | null; until: number | null }
  /** metric minus floor of each rule at the end of the last evaluation point */
  gaps: bigint[]
  provisional: Provisional | null
  closing: Book[]
  /** what was done in this point that news may forbid */
  deeds: { what: 'open' | 'close' | 'activation' | 'stop_trigger'; symbol: string }[]
  /** what the command of this point risked too much */
  risked: Line[]
  /** entries into positions for which a rule has not looked for a stop yet */
  entries: { index: number; position: string; at: number }[]
  /** no instant up to here is due again */
  settledTo: number
}

/** What the oracle decided, in the words of the journal. All numbers are decimal text. */
export type Decision = { kind: string } & Record<string, unknown>
/** One account at one instant: what it is decided from and where decisions go. */
export interface Desk {
  account: Account
  market: OracleMarket
  /** market time of what is being decided */
  at: number
  said: Decision[]
}

export const phaseOf = (account: Account): Phase => account.spec.phases[account.phase]!
export const rulesOf = (account: Account): Rule[] => phaseOf(account).rules
export function instrumentOf(spec: AccountSpec, symbol: string): Instrument {
  const instrument = spec.instruments.find((i) => i.symbol === symbol)
  if (!instrument) throw new Error(`no instrument ${symbol}`)
  return instrument
}
export const isHedging = (account: Account): boolean => account.spec.position_mode === 'hedging'
/** Signed quantity held in a symbol, all tickets together. */
export function heldIn(book: Book, symbol: string): bigint {
  let sum = 0n
  for (const p of book.positions) if (p.symbol === symbol) sum += p.quantity
  return sum
}
export const opposite = (side: Side): Side => (side === 'buy' ? 'sell' : 'buy')
/** By symbol: the order in which positions are looked at. */
export const byId = (a: Position, b: Position): number => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0)
export const isRunning = ({ status }: Account): boolean => status === 'started' || status === 'paused'
