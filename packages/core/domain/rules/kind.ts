import type { Compiled, Market } from '../engine/compile.ts'
import type { AccountState, Day, Order, RuleState } from '../engine/state.ts'
import type { Compare, Metric, Rule } from '../engine/types.ts'
import type { QuoteOf } from '../instruments/convert.ts'
import type { Side } from '../market/event.ts'
import { type Dec, gt, gte, lt, lte, min } from '../money/dec.ts'

/** What a rule may look at, account currency, exact. */
export interface Facts {
  initial: Dec
  balance: Dec
  equity: Dec
  day: Day
  flat: boolean
  at: number
  account: AccountState
  compiled: Compiled
}
/** `reset`: the end of a day, before its snapshot; `every`: any evaluation point, the one after that snapshot included */
export type Point = 'every' | 'reset'

/** A value held against its limit: `below` is a floor, `above` a ceiling. */
export interface Measure {
  metric: string
  value: Dec
  limit: Dec
  side: 'below' | 'above'
}
/** An order before it stands, or before a change of it does. */
export interface OrderRequest {
  order: Order
  /** it is one of the waiting ones, changed */
  amends?: boolean
  market: Market
  /** its own price, else its trigger, else the touch it takes */
  reference: Dec
  quoteOf: QuoteOf
  /** how much each waiting order and this one would add to exposure, by order id */
  adding: ReadonlyMap<string, Dec>
}
/** Waiting orders as they are and as they would be. */
export interface ExitChange {
  before: readonly Order[]
  after: readonly Order[]
  quoteOf: QuoteOf
}
export interface RuleRefusal {
  detail: string
  field: 'quantity' | 'symbol' | 'side' | 'stop_loss'
  /** what was measured where it is a number, for rules whose breach has an effect instead */
  measure?: Measure
}
/** activation: an entry that waited trades; stop_trigger: an exit that waited does. */
export type Act = 'open' | 'close' | 'activation' | 'stop_trigger'
/** A booked fill as rules count it, account currency. */
export interface BookedFill {
  order: string
  /** the position that it opened, added to or closed */
  position: string
  symbol: string
  side: Side
  /** result before fees, and with them */
  gross: Dec
  net: Dec
  /** what it added to exposure */
  opened: Dec
  /** it closed a position of the other side, in part or wholly; none of that side is left in the symbol */
  closes: boolean
  endsSide: boolean
  /** the position that it closed wholly */
  ended: EndedTrade | null
}
export interface EndedTrade {
  openedAt: number
  gross: Dec
  net: Dec
}
/** What time alone decides when a rule's `due` comes. */
export interface Due {
  /** a breach, as an act of that instant */
  found?: Measure
  /** positions that are closed, and orders that are cancelled */
  flatten?: (symbol: string) => boolean
  /** open objectives end the phase */
  expires?: boolean
}
/** How a rule stands, for people. */
export interface Standing {
  metric: string | null
  value: Dec | string
  limit: Dec | string
  remaining: Dec | string
  /** of the way to the limit */
  used: { part: Dec; whole: Dec }
  met: boolean | null
  unit: 'money' | 'number'
  effectiveTarget?: Dec
  /** what remains is a loss that is still permitted */
  isLoss?: boolean
}
export interface RuleKind<R extends Rule> {
  // ---- a limit that hangs on an anchor or a high-water mark and is kept as `state.floor`
  /** the floor (or ceiling) under these facts; null: none now */
  floor?: (rule: R, facts: Facts, state: RuleState) => Dec | null
  side?: Measure['side']
  metric?: (rule: R) => Metric
  /** is it tested at this kind of point */
  testedAt?: (rule: R, point: Point) => boolean
  /** the amount the day's floor hangs on, for the day's row */
  anchor?: (rule: R, facts: Facts) => Dec
  /** where the allowance that early warnings count starts; without it there are none */
  start?: (rule: R, facts: Facts, state: RuleState) => Dec
  /** the series whose highest value is kept as `state.high` at each evaluation point */
  series?: (rule: R, facts: Facts) => Dec
  followsSeries?: (rule: R) => boolean
  /** the floor follows the highest equity of the day */
  followsDayHigh?: (rule: R) => boolean
  /** the floor moves with every booking */
  followsBalance?: boolean

  // ---- any other limit
  measure?: (rule: R, facts: Facts, state: RuleState, quoteOf: QuoteOf) => Measure | null
  /** what is measured rests on marks: in doubt while one of them is not valid */
  restsOnMarks?: boolean

  // ---- objectives and gates: open when this is true
  met?: (rule: R, facts: Facts, state: RuleState) => boolean

  // ---- before an order stands
  refuse?: (rule: R, request: OrderRequest, facts: Facts, state: RuleState) => RuleRefusal | null

  /** asked where a rule refuses, of exits that are placed, changed or cancelled */
  refuseExit?: (rule: R, change: ExitChange, facts: Facts) => RuleRefusal | null

  /** an act that may not happen now: refused or held back by a gate, else a breach */
  isForbidden?: (rule: R, act: Act, symbol: string, facts: Facts) => boolean

  // ---- what it counts
  open?: (rule: R, facts: Facts, state: RuleState) => void
  /** at a reset, before the new day: counts the day that ends */
  endDay?: (rule: R, facts: Facts, state: RuleState) => void
  onFill?: (rule: R, fill: BookedFill, facts: Facts, state: RuleState) => void
  /** positions are followed from their opening to their end */
  countsTrades?: (rule: R) => boolean
  /** counted once for all rules with the same key */
  counter?: (rule: R) => { key: string; count: (fill: BookedFill, facts: Facts) => void } | null

  // ---- clocks: `state.due` came; sets the next one
  passDue?: (rule: R, facts: Facts, state: RuleState) => Due
  /** a cut-off: it goes before a reset of the same instant */
  flattens?: boolean
  /** its clock stands still while the assessment is paused */
  pauses?: boolean

  // ---- for people; floors are shown by their limit
  standing?: (rule: R, facts: Facts, state: RuleState, quoteOf: QuoteOf) => Standing
  /** the equity at which the limit is reached, if it is by price; `symbol`: by that one only */
  reach?: (
    rule: R,
    facts: Facts,
    state: RuleState,
    quoteOf: QuoteOf,
  ) => { equity: Dec; side: Measure['side']; symbol?: string } | null
}

/** The value that a limit is held against. */
export function metricOf(metric: Metric, facts: Pick<Facts, 'balance' | 'equity'>): Dec {
  if (metric === 'equity') return facts.equity
  return metric === 'balance' ? facts.balance : min(facts.equity, facts.balance)
}

/** `lt`: the limit itself is still allowed; `lte`: reaching it breaches; mirrored for a ceiling. */
export function isPast({ value, limit, side }: Pick<Measure, 'value' | 'limit' | 'side'>, compare: Compare): boolean {
  if (side === 'below') return compare === 'lt' ? lt(value, limit) : lte(value, limit)
  return compare === 'lt' ? gt(value, limit) : gte(value, limit)
}
