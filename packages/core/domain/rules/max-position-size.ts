import type { MaxPositionSizeRule } from '../engine/types.ts'
import { type Dec, dec, gt, max, str, sub } from '../money/dec.ts'
import { sizeIn, symbolsOf, total, waitingNow } from './exposure.ts'
import type { Facts, OrderRequest, RuleKind } from './kind.ts'
import { mostOf } from './standing.ts'

const unitOf = (rule: MaxPositionSizeRule) => (rule.quantity === undefined ? 'notional' : 'quantity')
const limitFor = (rule: MaxPositionSizeRule): Dec => dec((rule.quantity ?? rule.notional)!)

function sizeAfter(rule: MaxPositionSizeRule, request: OrderRequest, facts: Facts): Dec {
  if (rule.per === 'all') return total(facts, request, unitOf(rule))
  return sizeIn(facts, request, request.order.symbol, unitOf(rule))
}

/** Largest position of a symbol, or of all of them together; waiting orders count as filled. */
export const maxPositionSize: RuleKind<MaxPositionSizeRule> = {
  refuse(rule, request, facts) {
    if (rule.symbol !== undefined && rule.symbol !== request.order.symbol) return null
    const size = sizeAfter(rule, request, facts)
    const limit = limitFor(rule)
    if (!gt(size, limit)) return null
    const where = rule.per === 'all' ? 'in all' : `in ${request.order.symbol}`
    const unit = unitOf(rule) === 'notional' ? ` ${facts.compiled.spec.currency}` : ''
    return { detail: `at most ${str(limit)}${unit} ${where}; with this order ${str(size)}`, field: 'quantity' }
  },
  standing(rule, facts, _, quoteOf) {
    const unit = unitOf(rule)
    const waiting = waitingNow(facts, quoteOf)
    const symbols = rule.symbol === undefined ? [...symbolsOf(facts, waiting)] : [rule.symbol]
    const largest = symbols.reduce((most, symbol) => max(most, sizeIn(facts, waiting, symbol, unit)), dec('0'))
    const value = rule.per === 'all' ? total(facts, waiting, unit) : largest
    return mostOf(value, limitFor(rule), sub(limitFor(rule), value), unit === 'notional' ? 'money' : 'number')
  },
}
