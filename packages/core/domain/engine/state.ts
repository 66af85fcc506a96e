import type { Side } from '../market/event.ts'
import { type Dec, dec, str, ZERO } from '../money/dec.ts'

export interface Position {
  symbol: string
  /** signed: negative is short */
  quantity: Dec
  /** signed total cost in quote currency, contract size included; the average price is display only */
  cost: Dec
  /** mts of the fill that opened it, and the trading day k it fell in */
  openedAt: number
  openedDay: number
}
export interface Order {
  id: string
  clientId: string | null
  symbol: string
  side: Side
  price: Dec
  quantity: Dec
  filled: Dec
  createdAt: number
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
}
export interface RuleState {
  /** loss rules: the floor in force */
  floor: Dec | null
  /** profit target: when it was first met, ms */
  reachedAt: number | null
  /** day rules: days counted so far, the present one not included */
  days: number
}
/** The instant of a breach found while a symbol had no valid mark. */
export interface Provisional {
  at: number
  mseq: number
  balance: Dec
  positions: { symbol: string; quantity: Dec; cost: Dec }[]
  marks: { symbol: string; bid: Dec; ask: Dec; mseq: number }[]
  /** symbols still without a valid mark */
  waiting: string[]
  /** index of the rule that the violation named */
  rule: number
  before: { rule: number; gap: Dec }[]
  /** of the rules that are tested at this kind of point */
  floors: (Dec | null)[]
}
export type Status = 'none' | 'created' | 'started' | 'passed' | 'failed' | 'expired' | 'abandoned'

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
  orders: Order[]
  day: Day | null
  rules: RuleState[]
  provisional: Provisional | null
  /** books of ended phases with positions that had no depth yet */
  closing: Book[]
  /** aseq of verdict records whose segment has not ended yet */
  unsealed: { aseq: number; mseq: number }[]
  /** what fills of this assessment rest on that was made from trades or candles */
  synthetic: string[]
  /** next exact hour at which a checkpoint is due, while exposed */
  checkpoint: number | null
}

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
    provisional: null,
    closing: [],
    unsealed: [],
    synthetic: [],
    checkpoint: null,
  }
}

const copyBook = (b: Book): Book => ({
  ...b,
  positions: b.positions.map((p) => ({ ...p })),
  taken: b.taken.map((t) => ({ ...t })),
})
/** A copy that `step` may change; decimals are immutable and shared. */
export function copyState(s: AccountState): AccountState {
  return {
    ...s,
    book: copyBook(s.book),
    orders: s.orders.map((o) => ({ ...o })),
    day: s.day && { ...s.day },
    rules: s.rules.map((r) => ({ ...r })),
    closing: s.closing.map(copyBook),
    unsealed: s.unsealed.slice(),
    synthetic: s.synthetic.slice(),
    provisional: s.provisional && {
      ...s.provisional,
      marks: s.provisional.marks.slice(),
      waiting: s.provisional.waiting.slice(),
    },
  }
}

/** True while a price can move this account or a working order waits: what proofs, saves and checkpoints follow. */
export const isExposed = (s: AccountState): boolean =>
  s.book.positions.length > 0 || s.orders.length > 0 || s.closing.some((b) => b.positions.length > 0)

// ---- the stored form: JSON-native, canonical JSON of `decides` is what state_hash covers ------------------------
type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type EncodedState = { [key: string]: Json }

const encodeBook = (b: Book): Json => ({
  phase: b.phase,
  balance: str(b.balance),
  positions: b.positions.map((p) => ({
    symbol: p.symbol,
    quantity: str(p.quantity),
    cost: str(p.cost),
    opened_at: p.openedAt,
    opened_day: p.openedDay,
  })),
  taken: b.taken.map((t) => ({ symbol: t.symbol, side: t.side, price: str(t.price), size: str(t.size), mseq: t.mseq })),
})
const encodeProvisional = (p: Provisional): Json => ({
  at: p.at,
  mseq: p.mseq,
  balance: str(p.balance),
  waiting: p.waiting,
  rule: p.rule,
  positions: p.positions.map((x) => ({ symbol: x.symbol, quantity: str(x.quantity), cost: str(x.cost) })),
  marks: p.marks.map((m) => ({ symbol: m.symbol, bid: str(m.bid), ask: str(m.ask), mseq: m.mseq })),
  before: p.before.map((b) => ({ rule: b.rule, gap: str(b.gap) })),
  floors: p.floors.map((f) => f && str(f)),
})

/** What decides, without the place it is settled to: equal for all ways of getting to one (mseq, cseq). */
export function encodeDeciding(s: AccountState): EncodedState {
  return {
    status: s.status,
    phase: s.phase,
    cseq: s.cseq,
    aseq: s.aseq,
    book: encodeBook(s.book),
    orders: s.orders.map((o) => ({
      id: o.id,
      client_id: o.clientId,
      symbol: o.symbol,
      side: o.side,
      price: str(o.price),
      quantity: str(o.quantity),
      filled: str(o.filled),
      created_at: o.createdAt,
    })),
    day: s.day && {
      k: s.day.k,
      start: s.day.start,
      next: s.day.next,
      balance: str(s.day.balance),
      equity: str(s.day.equity),
      high: str(s.day.high),
      opened: s.day.opened,
      opened_and_closed: s.day.openedAndClosed,
    },
    rules: s.rules.map((r) => ({ floor: r.floor && str(r.floor), reached_at: r.reachedAt, days: r.days })),
    provisional: s.provisional && encodeProvisional(s.provisional),
    closing: s.closing.map(encodeBook),
    unsealed: s.unsealed.map((u) => ({ aseq: u.aseq, mseq: u.mseq })),
    synthetic: s.synthetic,
    checkpoint: s.checkpoint,
  }
}
export const encodeState = (s: AccountState): EncodedState => ({
  account: s.account,
  mseq: s.mseq,
  mts: s.mts,
  ...encodeDeciding(s),
})

// biome-ignore lint/suspicious/noExplicitAny: the one place that reads back what encodeState wrote
type Stored = any
const decodeBook = (b: Stored): Book => ({
  phase: b.phase,
  balance: dec(b.balance),
  positions: b.positions.map((p: Stored) => ({
    symbol: p.symbol,
    quantity: dec(p.quantity),
    cost: dec(p.cost),
    openedAt: p.opened_at,
    openedDay: p.opened_day,
  })),
  taken: b.taken.map((t: Stored) => ({ ...t, price: dec(t.price), size: dec(t.size) })),
})
const decodeProvisional = (p: Stored): Provisional => ({
  at: p.at,
  mseq: p.mseq,
  balance: dec(p.balance),
  waiting: p.waiting,
  rule: p.rule,
  positions: p.positions.map((x: Stored) => ({ symbol: x.symbol, quantity: dec(x.quantity), cost: dec(x.cost) })),
  marks: p.marks.map((m: Stored) => ({ ...m, bid: dec(m.bid), ask: dec(m.ask) })),
  before: p.before.map((b: Stored) => ({ rule: b.rule, gap: dec(b.gap) })),
  floors: p.floors.map((f: Stored) => f && dec(f)),
})
/** The inverse of encodeState. */
export function decodeState(stored: EncodedState): AccountState {
  const s: Stored = stored
  return {
    account: s.account,
    status: s.status,
    phase: s.phase,
    mseq: s.mseq,
    mts: s.mts,
    cseq: s.cseq,
    aseq: s.aseq,
    book: decodeBook(s.book),
    orders: s.orders.map((o: Stored) => ({
      id: o.id,
      clientId: o.client_id,
      symbol: o.symbol,
      side: o.side,
      price: dec(o.price),
      quantity: dec(o.quantity),
      filled: dec(o.filled),
      createdAt: o.created_at,
    })),
    day: s.day && {
      k: s.day.k,
      start: s.day.start,
      next: s.day.next,
      balance: dec(s.day.balance),
      equity: dec(s.day.equity),
      high: dec(s.day.high),
      opened: s.day.opened,
      openedAndClosed: s.day.opened_and_closed,
    },
    rules: s.rules.map((r: Stored) => ({ floor: r.floor && dec(r.floor), reachedAt: r.reached_at, days: r.days })),
    provisional: s.provisional && decodeProvisional(s.provisional),
    closing: s.closing.map(decodeBook),
    unsealed: s.unsealed,
    synthetic: s.synthetic,
    checkpoint: s.checkpoint,
  }
}
