/** The stored form of a state: canonical JSON of what decides is what state_hash covers. */
import { type Codec, decimal, type Json, list, nullable, plain, record } from './codec.ts'
import type {
  AccountState,
  Book,
  Bracket,
  Day,
  Doubt,
  Idea,
  Lots,
  Order,
  Pauses,
  Position,
  Provisional,
  RuleState,
  Running,
  Taken,
  Trades,
  Trailing,
} from './state.ts'

export type EncodedState = { [key: string]: Json }
const optionalDec = nullable(decimal)

const book = record<Book>({
  phase: plain(),
  balance: decimal,
  positions: list(
    record<Position>({
      id: plain(),
      symbol: plain(),
      quantity: decimal,
      cost: decimal,
      openedAt: plain(),
      openedDay: plain(),
    }),
  ),
  taken: list(record<Taken>({ symbol: plain(), side: plain(), price: decimal, size: decimal, mseq: plain() })),
})
const distance = { offset: optionalDec, share: optionalDec }
const order = record<Order>({
  id: plain(),
  clientId: plain(),
  symbol: plain(),
  side: plain(),
  type: plain(),
  timeInForce: plain(),
  price: optionalDec,
  stop: optionalDec,
  trailing: nullable(record<Trailing>({ ...distance, activation: optionalDec, best: optionalDec })),
  quantity: decimal,
  filled: decimal,
  reduceOnly: plain(),
  postOnly: plain(),
  expiresAt: plain(),
  createdAt: plain(),
  arrivesAt: plain(),
  ahead: optionalDec,
  bracket: nullable(
    record<Bracket>({
      takeProfit: optionalDec,
      stop: optionalDec,
      stopLimit: optionalDec,
      trail: nullable(record<NonNullable<Bracket['trail']>>(distance)),
      born: plain(),
    }),
  ),
  parent: plain(),
  oco: plain(),
  position: plain(),
})
const day = record<Day>({
  k: plain(),
  start: plain(),
  next: plain(),
  balance: decimal,
  equity: decimal,
  high: decimal,
  opened: plain(),
  openedAndClosed: plain(),
  orders: plain(),
  gross: decimal,
})
const rule = record<RuleState>({
  floor: optionalDec,
  high: optionalDec,
  reachedAt: plain(),
  days: plain(),
  short: plain(),
  best: optionalDec,
  sum: decimal,
  positive: decimal,
  allowed: optionalDec,
  due: plain(),
  left: plain(),
  warned: plain(),
  saidOn: plain(),
  entries: plain(),
})
const idea = record<Idea>({
  withinS: plain(),
  symbol: plain(),
  side: plain(),
  realised: decimal,
  flatSince: plain(),
})
const trades = record<Trades>({
  closed: plain(),
  running: list(
    record<Running>({
      position: plain(),
      symbol: plain(),
      side: plain(),
      openedAt: plain(),
      gross: decimal,
      net: decimal,
    }),
  ),
  lastAt: plain(),
  firstAt: plain(),
  ideas: list(idea),
  lots: list(
    record<Lots>({
      symbol: plain(),
      week: plain(),
      count: plain(),
      sum: decimal,
      least: decimal,
      most: decimal,
      open: list(record<Lots['open'][number]>({ order: plain(), size: decimal })),
    }),
  ),
})
const doubt = record<Doubt>({
  at: plain(),
  mseq: plain(),
  balance: decimal,
  positions: list(record<Doubt['positions'][number]>({ symbol: plain(), quantity: decimal, cost: decimal })),
  marks: list(record<Doubt['marks'][number]>({ symbol: plain(), bid: decimal, ask: decimal, mseq: plain() })),
  waiting: plain(),
  rule: plain(),
  gap: decimal,
  before: list(record<Doubt['before'][number]>({ rule: plain(), gap: decimal })),
  floors: list(optionalDec),
  ideas: list(idea),
  facts: list(
    record<Doubt['facts'][number]>({
      rule: plain(),
      metric: plain(),
      value: decimal,
      limit: decimal,
      side: plain(),
    }),
  ),
})
const provisional = record<Provisional>({ first: nullable(doubt), later: list(doubt) })
/** What decides, without the place it is settled to. */
const deciding = record<Omit<AccountState, 'account' | 'mseq' | 'mts'>>({
  status: plain(),
  phase: plain(),
  cseq: plain(),
  aseq: plain(),
  book,
  orders: list(order),
  day: nullable(day),
  rules: list(rule),
  trades,
  lock: plain(),
  liquidations: plain(),
  pauses: record<Pauses>({ count: plain(), total: plain(), since: plain(), until: plain() }),
  provisional: nullable(provisional),
  closing: list(book),
  unsealed: plain(),
  synthetic: plain(),
  checkpoint: plain(),
  carryAt: plain(),
}) as Codec<Omit<AccountState, 'account' | 'mseq' | 'mts'>>

/** What decides, without the place it is settled to: equal for all ways of getting to one (mseq, cseq). */
export const encodeDeciding = (s: AccountState): EncodedState => deciding.encode(s) as EncodedState
export const encodeState = (s: AccountState): EncodedState => ({
  account: s.account,
  mseq: s.mseq,
  mts: s.mts,
  ...encodeDeciding(s),
})
/** The inverse of encodeState. */
export const decodeState = (stored: EncodedState): AccountState => ({
  ...deciding.decode(stored),
  account: stored.account as string,
  mseq: stored.mseq as number,
  mts: stored.mts as number,
})
