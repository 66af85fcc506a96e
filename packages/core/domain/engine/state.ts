import type { Side } from '../market/event.ts'
import { type Dec, ZERO } from '../money/dec.ts'
import type { OrderType, TimeInForce } from './types.ts'

export interface Position {
  /** the order that opened it; netting: that of the last opening or reversal */
  id: string
  symbol: string
  /** signed: negative is short */
  quantity: Dec
  /** signed total cost in quote currency, contract size included; the average price is display only */
  cost: Dec
  /** mts of the fill that opened it, and the trading day k it fell in */
  openedAt: number
  openedDay: number
}
export interface Trailing {
  /** distance in price, or as a share of the best price */
  offset: Dec | null
  share: Dec | null
  /** it follows the price from here on; null: it does already */
  activation: Dec | null
  /** best price of the trigger side since then; null: not active yet */
  best: Dec | null
}
/** A bracket's children while the entry has not filled yet, and what became of them. */
export interface Bracket {
  takeProfit: Dec | null
  stop: Dec | null
  stopLimit: Dec | null
  trail: { offset: Dec | null; share: Dec | null } | null
  born: boolean
}
export interface Order {
  id: string
  clientId: string | null
  symbol: string
  side: Side
  type: OrderType
  timeInForce: TimeInForce
  /** limit and stop_limit */
  price: Dec | null
  /** trigger of stops; null once triggered, and of a trailing stop that is not active yet */
  stop: Dec | null
  trailing: Trailing | null
  quantity: Dec
  filled: Dec
  reduceOnly: boolean
  postOnly: boolean
  expiresAt: number | null
  createdAt: number
  /** latency model: when it reaches the market; null: it has */
  arrivesAt: number | null
  /** queue model: size ahead of it at its own price; null: not known to the model */
  ahead: Dec | null
  bracket: Bracket | null
  /** entry order of a bracket's child */
  parent: string | null
  /** the other leg */
  oco: string | null
  /** hedging: the ticket it reduces */
  position: string | null
}
/** Depth taken at one price level: dropped when an event changes that level's size or removes it. */
export interface Taken {
  symbol: string
  /** the side of the book that was taken from */
  side: 'bid' | 'ask'
  price: Dec
  size: Dec
  mseq: number
}
/** One phase's account: balance, positions and the depth it took. */
export interface Book {
  phase: number
  balance: Dec
  positions: Position[]
  taken: Taken[]
}
export interface Day {
  k: number
  /** start of this day and of the next one, ms */
  start: number
  next: number
  /** B and E at the reset that started the day; B0 on day 0 */
  balance: Dec
  equity: Dec
  /** highest equity of the day, where a rule needs it */
  high: Dec
  opened: boolean
  openedAndClosed: boolean
  /** orders accepted this day */
  orders: number
  /** results booked this day before fees, swap and funding */
  gross: Dec
}
export interface RuleState {
  /** loss rules: the floor in force; a cap's ceiling */
  floor: Dec | null
  /** trailing max_loss: highest value of the series that its floor hangs on */
  high: Dec | null
  /** profit target: when it was first met, ms */
  reachedAt: number | null
  /** day rules: days counted so far, the present one not included */
  days: number
  /** holding time: closed trades that were held too short */
  short: number
  /** consistency: best day or trade, sum of all and of the positive ones */
  best: Dec | null
  sum: Dec
  positive: Dec
  /** scaling plan: largest size in force */
  allowed: Dec | null
  /** clock rules: the instant at which time alone decides; null: none */
  due: number | null
  /** ms that a clock has left while the assessment is paused; null: it runs, or has none */
  left: number | null
  /** warnings written since they were armed, ascending by fraction */
  warned: number
  /** trading day of the last soft or flagged violation; null: none */
  saidOn: number | null
  /** a stop is needed: entries that have not been looked at, by time */
  entries: { position: string; at: number }[]
}
/** Trades of one symbol and direction that overlap, or follow within the rule's time. */
export interface Idea {
  /** of the rules that measure by it */
  withinS: number
  symbol: string
  side: Side
  /** account currency, fees included */
  realised: Dec
  /** when it was last without a position; null: it holds one */
  flatSince: number | null
}
/** Sizes of opening orders in one symbol in the running week. */
export interface Lots {
  symbol: string
  week: number
  count: number
  sum: Dec
  least: Dec
  most: Dec
  /** of orders that can still be filled: not among the ones above yet */
  open: { order: string; size: Dec }[]
}
/** A position from its opening on, where a rule counts trades. */
export interface Running {
  position: string
  symbol: string
  side: Side
  openedAt: number
  /** booked on it so far, account currency: before fees, swap and funding, and after */
  gross: Dec
  net: Dec
}
export interface Trades {
  closed: number
  running: Running[]
  /** last fill, ms; null: none yet */
  lastAt: number | null
  firstAt: number | null
  ideas: Idea[]
  lots: Lots[]
}
export interface Lock {
  rule: number
  /** the reset that ends it */
  until: number
}
export interface Pauses {
  count: number
  /** ms paused in all, the running one not included */
  total: number
  since: number | null
  /** when the running one ends by itself */
  until: number | null
}
/** An instant at which limits were crossed while a symbol had no valid mark: what it is computed again from. */
export interface Doubt {
  at: number
  mseq: number
  balance: Dec
  positions: { symbol: string; quantity: Dec; cost: Dec }[]
  marks: { symbol: string; bid: Dec; ask: Dec; mseq: number }[]
  /** symbols still without a valid mark */
  waiting: string[]
  /** index of the rule that the violation named; of a later instant that of the limit it is kept for */
  rule: number
  /** how far beyond that limit it was */
  gap: Dec
  before: { rule: number; gap: Dec }[]
  /** of the rules that are tested at this kind of point */
  floors: (Dec | null)[]
  /** as they stood then */
  ideas: Idea[]
  /** crossed at that point by what no mark can change */
  facts: { rule: number; metric: string; value: Dec; limit: Dec; side: 'below' | 'above' }[]
}
/** A breach that is being decided: its first instant, and of each limit crossed since then the deepest one, in order. */
export interface Provisional {
  first: Doubt | null
  later: Doubt[]
}
/** A position that is closed as soon as the market allows, and what its fills are called. */
export interface Liquidation {
  position: string
  symbol: string
  order: 'lock' | 'flat'
}
export type Status = 'none' | 'created' | 'started' | 'paused' | 'passed' | 'failed' | 'expired' | 'abandoned'

export interface AccountState {
  account: string
  status: Status
  phase: number
  mseq: number
  mts: number
  cseq: number
  /** the next record's number */
  aseq: number
  book: Book
  /** by arrival at the market: the queue that resting limits fill in */
  orders: Order[]
  day: Day | null
  rules: RuleState[]
  trades: Trades
  lock: Lock | null
  /** what a lock or a cut-off closes and had no depth yet */
  liquidations: Liquidation[]
  pauses: Pauses
  provisional: Provisional | null
  /** books of ended phases with positions that had no depth yet */
  closing: Book[]
  /** aseq of verdict records whose segment has not ended yet */
  unsealed: { aseq: number; mseq: number }[]
  /** what fills of this assessment rest on that was made from trades or candles */
  synthetic: string[]
  /** next exact hour at which a checkpoint is due, while exposed */
  checkpoint: number | null
  /** next instant at which swap or funding of a held position is due; null: never */
  carryAt: number | null
}

export const newTrades = (): Trades => ({ closed: 0, running: [], lastAt: null, firstAt: null, ideas: [], lots: [] })
export const newRuleState = (): RuleState => ({
  floor: null,
  high: null,
  reachedAt: null,
  days: 0,
  short: 0,
  best: null,
  sum: ZERO,
  positive: ZERO,
  allowed: null,
  due: null,
  left: null,
  warned: 0,
  saidOn: null,
  entries: [],
})
export function newAccount(account: string): AccountState {
  return {
    account,
    status: 'none',
    phase: 0,
    mseq: 0,
    mts: 0,
    cseq: 0,
    aseq: 0,
    book: { phase: 0, balance: ZERO, positions: [], taken: [] },
    orders: [],
    day: null,
    rules: [],
    trades: newTrades(),
    lock: null,
    liquidations: [],
    pauses: { count: 0, total: 0, since: null, until: null },
    provisional: null,
    closing: [],
    unsealed: [],
    synthetic: [],
    checkpoint: null,
    carryAt: null,
  }
}

const copyBook = (b: Book): Book => ({
  ...b,
  positions: b.positions.map((p) => ({ ...p })),
  taken: b.taken.map((t) => ({ ...t })),
})
const copyOrder = (o: Order): Order => ({
  ...o,
  trailing: o.trailing && { ...o.trailing },
  bracket: o.bracket && { ...o.bracket },
})
const copyDoubt = (d: Doubt): Doubt => ({ ...d, marks: d.marks.slice(), waiting: d.waiting.slice() })
/** A copy that `step` may change; decimals are immutable and shared. */
export function copyState(s: AccountState): AccountState {
  return {
    ...s,
    book: copyBook(s.book),
    orders: s.orders.map(copyOrder),
    day: s.day && { ...s.day },
    rules: s.rules.map((r) => ({ ...r })),
    trades: {
      ...s.trades,
      running: s.trades.running.map((r) => ({ ...r })),
      ideas: s.trades.ideas.map((i) => ({ ...i })),
      lots: s.trades.lots.map((l) => ({ ...l, open: l.open.slice() })),
    },
    lock: s.lock && { ...s.lock },
    liquidations: s.liquidations.slice(),
    pauses: { ...s.pauses },
    closing: s.closing.map(copyBook),
    unsealed: s.unsealed.slice(),
    synthetic: s.synthetic.slice(),
    provisional: s.provisional && {
      first: s.provisional.first && copyDoubt(s.provisional.first),
      later: s.provisional.later.map(copyDoubt),
    },
  }
}

/** True while a price can move this account or a working order waits: what proofs, saves and checkpoints follow. */
export const isExposed = (s: AccountState): boolean =>
  s.book.positions.length > 0 || s.orders.length > 0 || s.closing.some((b) => b.positions.length > 0)
/** The phase runs: rules are held against it, resets come; a paused one neither trades nor passes. */
export const isRunning = (s: AccountState): boolean => s.status === 'started' || s.status === 'paused'
