import type { Market } from '../engine/compile.ts'
import type { Order, Position, RuleState } from '../engine/state.ts'
import type { MaxRiskPerTradeRule } from '../engine/types.ts'
import { type QuoteOf, valueIn } from '../instruments/convert.ts'
import { abs, add, type Dec, gt, gte, mul, neg, ofInt, sign, str, sub, ZERO } from '../money/dec.ts'
import type { Due, Facts, OrderRequest, RuleKind, RuleRefusal } from './kind.ts'
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

const isStop = (o: Order): boolean => o.type === 'stop' || o.type === 'stop_limit' || o.type === 'trailing_stop'
/** Stops on the other side cover the position wholly. */
function isProtected(position: Position, facts: Facts): boolean {
  const hedging = facts.compiled.spec.position_mode === 'hedging'
  let covered = ZERO
  for (const o of facts.account.orders) {
    if (!isStop(o) || o.symbol !== position.symbol || (o.side === 'buy') === sign(position.quantity) > 0) continue
    if (!hedging || o.position === position.id) covered = add(covered, sub(o.quantity, o.filled))
  }
  return gte(covered, abs(position.quantity))
}
/** The next instant at which a position has to have its stop. */
function nextDue(rule: MaxRiskPerTradeRule, facts: Facts, after: number): number | null {
  let next: number | null = null
  for (const { openedAt } of facts.account.book.positions) {
    const due = openedAt + rule.within_s * 1000
    if (due > after && (next === null || due < next)) next = due
  }
  return next
}
function passDue(rule: MaxRiskPerTradeRule, facts: Facts, state: RuleState): Due {
  const bare = facts.account.book.positions.filter(
    (p) => p.openedAt + rule.within_s * 1000 === state.due && !isProtected(p, facts),
  )
  state.due = nextDue(rule, facts, facts.at)
  if (bare.length === 0) return {}
  return { found: { metric: 'positions_without_stop', value: ofInt(bare.length), limit: ZERO, side: 'above' } }
}

/**
 * Loss at the stop that an order brings, against pct of B0; with `needs_stop` a position must be covered by stops
 * `within_s` after it opened, and where the rule refuses, its order brings one at once.
 */
export const maxRiskPerTrade: RuleKind<MaxRiskPerTradeRule> = {
  refuse,
  onFill(rule, _, facts, state) {
    if (rule.needs_stop && rule.effect !== 'gate') state.due = nextDue(rule, facts, facts.at - 1)
  },
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
