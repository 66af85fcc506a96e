import type { AccountSpec, OrderBody, Phase, Rule } from '../../domain/engine/types.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'
import type { Newest } from './market.ts'
import type { Test } from './rules.ts'

export interface Position {
  symbol: string
  quantity: bigint
  cost: bigint
  openedDay: number
}
export interface Order {
  id: string
  symbol: string
  side: OrderBody['side']
  type: OrderBody['type']
  lasting: boolean
  quantity: bigint
  filled: bigint
  price: bigint | null
  status: 'working' | 'filled' | 'cancelled'
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
  next: number
  balance: bigint
  equity: bigint
  high: bigint
  opened: boolean
  openedAndClosed: boolean
}
export interface RuleState {
  floor: bigint | null
  reachedAt: number | null
  days: number
}
/** A breach found while a feed was lost: what it was computed from, to be computed again with the marks to come. */
export interface Provisional {
  at: number
  book: Book
  marks: Map<string, Newest>
  test: Test
}

export interface Account {
  id: string
  spec: AccountSpec
  status: 'none' | 'created' | 'started' | 'passed' | 'failed' | 'abandoned'
  phase: number
  book: Book
  orders: Order[]
  day: Day
  rules: RuleState[]
  /** metric minus floor of each rule at the end of the last evaluation point */
  gaps: bigint[]
  provisional: Provisional | null
  closing: Book[]
}

/** What the oracle decided, in the words of the journal. All numbers are decimal text. */
export type Decision = { kind: string } & Record<string, unknown>

export const phaseOf = (account: Account): Phase => account.spec.phases[account.phase]!
export const rulesOf = (account: Account): Rule[] => phaseOf(account).rules
export function instrumentOf(spec: AccountSpec, symbol: string): Instrument {
  const instrument = spec.instruments.find((i) => i.symbol === symbol)
  if (!instrument) throw new Error(`no instrument ${symbol}`)
  return instrument
}
export const positionOf = (book: Book, symbol: string): Position | undefined =>
  book.positions.find((p) => p.symbol === symbol)
