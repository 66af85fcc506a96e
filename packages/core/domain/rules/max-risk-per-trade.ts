import type { Market } from '../engine/compile.ts'
import type { Order, Position, RuleState } from '../engine/state.ts'
import type { MaxRiskPerTradeRule } from '../engine/types.ts'
import { type QuoteOf, valueIn } from '../instruments/convert.ts'
import { abs, add, type Dec, div, gt, gte, isZero, min, mul, neg, ofInt, sign, str, sub, ZERO } from '../money/dec.ts'
import type { BookedFill, Due, ExitChange, Facts, OrderRequest, RuleKind, RuleRefusal } from './kind.ts'
import { percent } from './limit.ts'
import { mostOf } from './standing.ts'

const limitFor = (rule: MaxRiskPerTradeRule, facts: Facts): Dec => mul(percent(rule.pct), facts.initial)

/** The bracket's stop, a trailing one where it would stand now; null: the order brings none. */
function stopOf(order: Order, reference: Dec): Dec | null {
  const bracket = order.bracket
  if (!bracket) return null
  if (bracket.stop) return bracket.stop
  if (!bracket.trail) return null
  const away = bracket.trail.offset ?? mul(reference, bracket.trail.share!)
  return order.side === 'buy' ? sub(reference, away) : add(reference, away)
}
/** What closing at the stop would lose, account currency; a stop in profit loses nothing. */
function lossAt(market: Market, side: Order['side'], quantity: Dec, entry: Dec, stop: Dec, quoteOf: QuoteOf): Dec {
  const away = side === 'buy' ? sub(entry, stop) : sub(stop, entry)
  if (sign(away) <= 0) return ZERO
  return neg(valueIn(neg(mul(mul(quantity, market.contract), away)), market.path!, quoteOf)!)
}

function refuse(rule: MaxRiskPerTradeRule, request: OrderRequest, facts: Facts): RuleRefusal | null {
  const { order, market, reference } = request
  const stop = stopOf(order, reference)
  if (!stop) {
    if (!rule.needs_stop || rule.effect !== 'gate') return null
    return { detail: 'an order that opens a position brings its stop_loss', field: 'stop_loss' }
  }
  const value = lossAt(market, order.side, request.adding.get(order.id) ?? ZERO, reference, stop, request.quoteOf)
  const limit = limitFor(rule, facts)
  if (!gt(value, limit)) return null
  return {
    detail: `at most ${str(limit)} ${facts.compiled.spec.currency} lost at the stop; this order ${str(value)}`,
    field: 'quantity',
    measure: { metric: 'trade_risk', value, limit, side: 'above' },
  }
}

const isStop = (o: Order): boolean =>
  (o.type === 'stop' || o.type === 'stop_limit' || o.type === 'trailing_stop') &&
  (o.stop !== null || o.trailing !== null)
/** Waits for a price against the position. */
const isStopOf = (position: Position, { compiled }: Facts, o: Order): boolean =>
  isStop(o) &&
  o.symbol === position.symbol &&
  (o.side === 'buy') !== sign(position.quantity) > 0 &&
  (!compiled.hedging || o.position === position.id)
/** Stops on the other side cover the position wholly. */
function isProtected(position: Position, facts: Facts, orders: readonly Order[] = facts.account.orders): boolean {
  let covered = ZERO
  for (const o of orders) if (isStopOf(position, facts, o)) covered = add(covered, sub(o.quantity, o.filled))
  return gte(covered, abs(position.quantity))
}
/** What the part of the position that a stop closes would lose there against its cost; one that is not active yet, nothing. */
function lossAtExit(position: Position, o: Order, facts: Facts, quoteOf: QuoteOf): Dec {
  if (!o.stop) return ZERO
  const market = facts.compiled.markets.get(o.symbol)!
  const rest = min(sub(o.quantity, o.filled), abs(position.quantity))
  const closes = sign(position.quantity) > 0 ? rest : neg(rest)
  const cost = div(mul(position.cost, rest), abs(position.quantity))
  const result = sub(mul(mul(closes, market.contract), o.stop), cost)
  return sign(result) < 0 ? neg(valueIn(result, market.path!, quoteOf)!) : ZERO
}
/** A stop may not be moved where more than the limit is lost; where one is needed it stays, and none farther comes. */
function refuseExit(
  rule: MaxRiskPerTradeRule,
  { before, after, quoteOf }: ExitChange,
  facts: Facts,
): RuleRefusal | null {
  const limit = limitFor(rule, facts)
  for (const position of facts.account.book.positions) {
    if (rule.needs_stop && isProtected(position, facts, before) && !isProtected(position, facts, after))
      return { detail: `a position in ${position.symbol} keeps its stop`, field: 'stop_loss' }
    for (const o of after) {
      const was = before.find(({ id }) => id === o.id)
      if (!isStopOf(position, facts, o) || (!was && !rule.needs_stop)) continue
      const value = lossAtExit(position, o, facts, quoteOf)
      if (!gt(value, limit) || (was && !gt(value, lossAtExit(position, was, facts, quoteOf)))) continue
      const { currency } = facts.compiled.spec
      return { detail: `at most ${str(limit)} ${currency} lost at the stop; there ${str(value)}`, field: 'stop_loss' }
    }
  }
  return null
}

/** Entries into one position whose time has not come; one more puts the last of them off. */
const MOST_ENTRIES = 100
function enter(entries: RuleState['entries'], position: string, at: number): RuleState['entries'] {
  const own = entries.filter((e) => e.position === position)
  const last = own.at(-1)
  const isKept = own.length < MOST_ENTRIES && last?.at !== at
  return [...(isKept ? entries : entries.filter((e) => e !== last)), { position, at }]
}
/** The next instant at which a position has to have its stop. */
function nextDue(rule: MaxRiskPerTradeRule, { entries }: RuleState): number | null {
  const [first] = entries
  return first ? first.at + rule.within_s * 1000 : null
}
/** A position is looked at within the time after each entry into it, an addition too. */
function onFill(rule: MaxRiskPerTradeRule, fill: BookedFill, facts: Facts, state: RuleState): void {
  if (!rule.needs_stop || rule.effect === 'gate') return
  const entries = state.entries.filter((e) => facts.account.book.positions.some((p) => p.id === e.position))
  state.entries = isZero(fill.opened) ? entries : enter(entries, fill.position, facts.at)
  state.due = nextDue(rule, state)
}
function passDue(rule: MaxRiskPerTradeRule, facts: Facts, state: RuleState): Due {
  const isDue = ({ at }: RuleState['entries'][number]): boolean => at + rule.within_s * 1000 <= facts.at
  const due = state.entries.filter(isDue)
  const bare = facts.account.book.positions.filter(
    (p) => due.some((e) => e.position === p.id) && !isProtected(p, facts),
  )
  state.entries = state.entries.filter((e) => !isDue(e))
  state.due = nextDue(rule, state)
  if (bare.length === 0) return {}
  return { found: { metric: 'positions_without_stop', value: ofInt(bare.length), limit: ZERO, side: 'above' } }
}

/**
 * Loss at the stop that an order brings, against pct of B0; with `needs_stop` a position must be covered by stops
 * `within_s` after each entry into it. Where the rule refuses, the order brings its stop at once, and the stop is
 * neither moved beyond the limit nor cancelled.
 */
export const maxRiskPerTrade: RuleKind<MaxRiskPerTradeRule> = {
  refuse,
  refuseExit,
  onFill,
  passDue,
  standing(rule, facts, _, quoteOf) {
    const limit = limitFor(rule, facts)
    let worst = ZERO
    for (const o of facts.account.orders) {
      const held = facts.account.book.positions.find((p) => p.symbol === o.symbol)
      if (!held || !isStop(o) || !o.stop || (o.side === 'buy') === sign(held.quantity) > 0) continue
      const market = facts.compiled.markets.get(o.symbol)!
      const quote = quoteOf(o.symbol)!
      const side = o.side === 'buy' ? 'sell' : 'buy'
      const now = side === 'buy' ? quote.bid.price : quote.ask.price
      const loss = lossAt(market, side, sub(o.quantity, o.filled), now, o.stop, quoteOf)
      if (gt(loss, worst)) worst = loss
    }
    return { ...mostOf(worst, limit, sub(limit, worst), 'money'), metric: 'trade_risk' }
  },
}
