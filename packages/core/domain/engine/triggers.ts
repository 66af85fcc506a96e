/**
 * What prices would change something about an account: all that an index needs to leave it alone until then. The
 * account must be looked at when any of these is reached; a look too many is invisible.
 */
import type { QuoteOf } from '../instruments/convert.ts'
import type { ConversionLeg } from '../instruments/instrument.ts'
import { add, type Dec, dec, eq, gt, gte, lt, lte, ONE, sub, ZERO } from '../money/dec.ts'
import { type Facts, isPast } from '../rules/kind.ts'
import type { Entry, FloorEntry } from '../rules/phase-rules.ts'
import { targetAmount } from '../rules/profit-target.ts'
import type { Compiled, Market } from './compile.ts'
import { factsAt, factsOf, gapOf, raiseHighs, sortedRules } from './facts.ts'
import { isReached, touchFor, triggerPrice } from './orders/trigger-price.ts'
import { waitedFor } from './provisional.ts'
import { type AccountState, isRunning, type Order } from './state.ts'
import type { Rule } from './types.ts'
import { equityOf, quotesOf, sizeOf } from './valuation.ts'
import type { MarketView } from './view.ts'
import { nextWarning } from './warnings.ts'

export interface Leg {
  symbol: string
  /** the side of the quote that marks it: longs bid, shorts ask */
  side: 'bid' | 'ask'
  /** signed quantity x contract size */
  quantity: Dec
  cost: Dec
  path: readonly ConversionLeg[]
}
/** A value of equity; `strict`: reached only beyond it. */
export interface Limit {
  value: Dec
  strict: boolean
}
/** A price that an order waits for: reached at it or beyond. */
export interface Level {
  symbol: string
  waits: 'ask_falls' | 'ask_rises' | 'bid_rises' | 'bid_falls'
  price: Dec
}
export interface Parts {
  /** is one of them crossed at these prices; it only gets worse as legs and rates go against their positions */
  isCrossedAt: (quoteOf: QuoteOf) => boolean
  /** how much one of them may still get worse, account currency */
  left: Dec
}
export interface Triggers {
  /** of now; null: nothing is held, or the phase does not run */
  equity: Dec | null
  legs: Leg[]
  /** the highest floor or warning under equity, if equity rises no higher than `high` meanwhile; null: as it stands */
  floorAt: (high: Dec | null) => Limit | null
  /** that one follows equity to new highs */
  trails: boolean
  /** the lowest high that equity can raise; null: none */
  high: Dec | null
  /** equity above changes something: a target, a cap, a high that cannot be settled later */
  ceiling: Limit | null
  /** margin can be called: equity less stop_out x used must not fall below zero unseen */
  stopsOut: boolean
  /** limits measured on marks in another way than equity (an idea's loss): null: there is none */
  parts: Parts | null
  /** what working orders wait for */
  orders: Level[]
  /** every event of these symbols must touch the account */
  always: string[]
  /** status changes and gaps of these symbols must touch the account */
  symbols: string[]
}

const higher = (a: Limit | null, b: Limit): Limit =>
  !a || gt(b.value, a.value) || (gte(b.value, a.value) && !b.strict) ? b : a
const lower = (a: Limit | null, b: Limit): Limit =>
  !a || lt(b.value, a.value) || (lte(b.value, a.value) && !b.strict) ? b : a

/** A limit that a price can reach between fills. */
const isOnEquity = ({ kind, rule, metric }: FloorEntry): boolean =>
  metric !== 'balance' && (kind.testedAt?.(rule, 'every') ?? false)
const follows = new WeakMap<Rule, boolean>()
/** Does its high-water mark move with equity while nothing is booked? */
function followsEquity({ kind, rule }: FloorEntry, facts: Facts): boolean {
  let found = follows.get(rule)
  if (found === undefined) {
    const at = (equity: Dec): Dec => kind.series!(rule, { ...facts, equity })
    found = (kind.followsDayHigh?.(rule) ?? false) || !eq(at(ZERO), at(ONE))
    follows.set(rule, found)
  }
  return found
}
/** Its high can be settled later: while it rises nothing but a floor under equity changes. */
export const isSettledLater = (entry: FloorEntry): boolean =>
  entry.side === 'above' ||
  entry.metric === 'equity' ||
  (!entry.kind.start && !entry.kind.testedAt?.(entry.rule, 'every'))

/** The lowest of the highs that equity can raise, of the rules that `which` takes; null: none. */
function lowestOf(facts: Facts, which: (entry: FloorEntry) => boolean): Dec | null {
  const { series, dayHigh } = sortedRules(facts.account, facts.compiled)
  let lowest: Dec | null = null
  const take = (high: Dec): void => {
    if (!lowest || lt(high, lowest)) lowest = high
  }
  for (const entry of series)
    if (followsEquity(entry, facts) && which(entry)) take(facts.account.rules[entry.index]!.high ?? facts.initial)
  if (dayHigh.some(which)) take(facts.day.high)
  return lowest
}

/** A flag that was raised today says nothing more before the reset. */
const isSaid = ({ effect, index }: FloorEntry, { rules, day }: AccountState): boolean =>
  effect === 'flag' && rules[index]!.saidOn === day!.k

/** The highest floor and warning under equity once it has been as high as `high`. */
export function floorAt(facts: Facts, high: Dec | null): Limit | null {
  const { account, compiled } = facts
  const risen = high === null ? account : raiseHighs(account, compiled, high)
  const then = risen === account ? facts : factsAt(risen, compiled, facts.equity, facts.at)
  const { floors, warned } = sortedRules(account, compiled)
  let best: Limit | null = null
  for (const entry of floors) {
    const { floor } = risen.rules[entry.index]!
    if (floor && entry.side === 'below' && isOnEquity(entry) && !isSaid(entry, risen))
      best = higher(best, { value: floor, strict: entry.compare === 'lt' })
  }
  for (const entry of warned) {
    const level = entry.metric === 'balance' ? null : nextWarning(entry, then)
    if (level) best = higher(best, { value: level, strict: false })
  }
  return best
}

function ceilingOf(facts: Facts): Limit | null {
  const { account, compiled } = facts
  const { floors, gates } = sortedRules(account, compiled)
  let best: Limit | null = null
  for (const entry of floors) {
    const { floor } = account.rules[entry.index]!
    if (floor && entry.side === 'above' && isOnEquity(entry))
      best = lower(best, { value: floor, strict: entry.compare === 'lt' })
  }
  for (const { rule } of gates) {
    if (rule.rule !== 'profit_target' || account.provisional || rule.basis !== 'equity' || rule.require_flat) continue
    const target = add(facts.initial, targetAmount(rule, facts.initial))
    if (lt(facts.equity, target)) best = lower(best, { value: target, strict: false })
  }
  const high = lowestOf(facts, (entry) => account.provisional !== null || !isSettledLater(entry))
  return high ? lower(best, { value: high, strict: true }) : best
}

/** Adds what a working order waits for, at the market's own prices. */
function addLevels(levels: Level[], order: Order, market: Market): void {
  const { symbol, side } = order
  const buys = side === 'buy'
  const raw = (price: Dec, sign: 1 | -1): Dec =>
    market.markup.n === 0n ? price : sign > 0 ? add(price, market.markup) : sub(price, market.markup)
  if (order.arrivesAt !== null) return
  const { trailing } = order
  if (order.stop)
    levels.push({ symbol, waits: buys ? 'ask_rises' : 'bid_falls', price: raw(order.stop, buys ? -1 : 1) })
  else if (order.type === 'limit' || order.type === 'stop_limit')
    levels.push({ symbol, waits: buys ? 'ask_falls' : 'bid_rises', price: order.price! })
  const better = trailing && (trailing.best ?? trailing.activation)
  if (better) levels.push({ symbol, waits: buys ? 'ask_falls' : 'bid_rises', price: better })
}
/** True when any event of its symbol may fill the order: depth at its price is used up, or its place in a queue moves. */
function isAtOnce(order: Order, market: Market, view: MarketView): boolean {
  const { side, stop, price, trailing } = order
  if (order.arrivesAt !== null) return false
  if (order.ahead) return true
  const touch = touchFor(side, market, view)
  if (!touch) return true
  if (stop) {
    const now = triggerPrice(side, market, view)
    return now !== null && isReached(side, now, stop)
  }
  if (trailing) return !(trailing.best ?? trailing.activation)
  return side === 'buy' ? lte(touch, price!) : gte(touch, price!)
}

/** `known`: the equity under the view's marks, where it was just computed. */
export function triggers(
  state: AccountState,
  compiled: Compiled,
  view: MarketView,
  known: Dec | null = null,
): Triggers {
  const symbols = new Set<string>()
  const always = new Set<string>()
  const legs: Leg[] = []
  for (const p of state.book.positions) {
    const market = compiled.markets.get(p.symbol)!
    const side = p.quantity.n > 0n ? 'bid' : 'ask'
    legs.push({ symbol: p.symbol, side, quantity: sizeOf(p.quantity, market), cost: p.cost, path: market.path! })
    symbols.add(p.symbol)
    for (const leg of market.path!) if (!leg.peg) symbols.add(leg.symbol)
    // what is being closed goes with the first event that allows it
    if (state.lock) always.add(p.symbol)
  }
  for (const l of state.liquidations) always.add(l.symbol)
  const orders: Level[] = []
  for (const o of state.orders) {
    symbols.add(o.symbol)
    addLevels(orders, o, compiled.markets.get(o.symbol)!)
    if (isAtOnce(o, compiled.markets.get(o.symbol)!, view)) always.add(o.symbol)
  }
  for (const book of state.closing) for (const p of book.positions) always.add(p.symbol)
  // each of its points may be deeper than the one that is kept
  if (state.provisional) for (const s of [...symbols, ...waitedFor(state.provisional)]) always.add(s)
  const facts =
    legs.length > 0 && isRunning(state)
      ? factsAt(state, compiled, known ?? equityOf(state.book, compiled, quotesOf(view)), view.mts)
      : null
  const isWatched = facts !== null && !state.provisional
  return {
    equity: facts?.equity ?? null,
    legs,
    floorAt: isWatched ? (high) => floorAt(facts, high) : () => null,
    trails: isWatched && !isLocked(facts),
    high: isWatched ? lowestOf(facts, isSettledLater) : null,
    ceiling: facts && ceilingOf(facts),
    stopsOut: isWatched && compiled.stopOut !== null,
    parts: isWatched ? partsOf(facts, quotesOf(view)) : null,
    orders,
    always: [...always],
    symbols: [...symbols],
  }
}
function partsOf(facts: Facts, quoteOf: QuoteOf): Parts | null {
  const { account, compiled } = facts
  const entries = sortedRules(account, compiled).measured.filter(
    ({ kind, effect, index }) =>
      kind.restsOnMarks &&
      !(effect === 'soft' && account.lock) &&
      !(effect === 'flag' && account.rules[index]!.saidOn === facts.day.k),
  )
  if (entries.length === 0) return null
  const measure = ({ kind, rule, index }: Entry, at: QuoteOf) => kind.measure!(rule, facts, account.rules[index]!, at)
  let left: Dec | null = null
  for (const entry of entries) {
    const measured = measure(entry, quoteOf)
    if (!measured) continue
    const gap = gapOf(measured)
    if (!left || lt(gap, left)) left = gap
  }
  if (!left) return null
  const isCrossedAt = (at: QuoteOf): boolean =>
    entries.some((entry) => {
      const measured = measure(entry, at)
      return measured !== null && isPast(measured, entry.compare)
    })
  return { isCrossedAt, left }
}

/** Equity beyond any sum of money. */
const BEYOND = dec('1000000000000000000000000000000')
/** No high, however high, raises what is held against equity. */
export function isLocked(facts: Facts): boolean {
  if (lowestOf(facts, isSettledLater) === null) return true
  const [now, then] = [floorAt(facts, null), floorAt(facts, BEYOND)]
  return !now || !then || (eq(now.value, then.value) && now.strict === then.strict)
}
/** The lowest of the highs that untouched equity can have raised; null: none. */
export function lowestHigh(state: AccountState, compiled: Compiled, view: MarketView): Dec | null {
  if (!isRunning(state) || state.provisional || state.book.positions.length === 0) return null
  return lowestOf(factsOf(state, compiled, quotesOf(view), view.mts), isSettledLater)
}
