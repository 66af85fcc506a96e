/** One day, or one trade, may not make most of the result (reference 3.6). */
import type { Lots, RuleState } from '../engine/state.ts'
import type { ConsistencyRule } from '../engine/types.ts'
import { add, type Dec, dec, div, gt, lt, lte, max, min, mul, ofInt, sign, sub, ZERO } from '../money/dec.ts'
import type { Facts, RuleKind, Standing } from './kind.ts'
import { countSize, ofThisWeek, sizesOf } from './lots.ts'
import { targetOf, targetRuleOf } from './profit-target.ts'

/** What the day that these facts belong to has booked so far. */
const dayResult = (rule: ConsistencyRule, facts: Facts): Dec =>
  rule.gross ? facts.day.gross : sub(facts.balance, facts.day.balance)

interface Results {
  /** best day, or best trade on that basis */
  best: Dec
  total: Dec
  positive: Dec
}
/** Days that ended and the present one. */
function resultsOf(rule: ConsistencyRule, facts: Facts, state: RuleState): Results {
  const today = dayResult(rule, facts)
  const bestDay = state.best ? max(state.best, today) : today
  return {
    best: rule.basis === 'trade' ? (state.best ?? ZERO) : bestDay,
    total: add(state.sum, today),
    positive: add(state.positive, max(today, ZERO)),
  }
}
/** What the best is held against, once multiplied by the share. */
function whole(rule: ConsistencyRule, facts: Facts, results: Results): Dec {
  if (rule.basis === 'total') return results.total
  return rule.basis === 'positive_days' ? results.positive : targetOf(facts)
}

/** avg x share <= size <= avg / share, without a division. */
function areEven(rule: ConsistencyRule, lots: Lots): boolean {
  const { count, sum, least, most } = sizesOf(lots)
  const within = rule.compare === 'lt' ? lte : lt
  const share = dec(rule.share)
  return within(mul(sum, share), mul(least, ofInt(count))) && within(mul(mul(most, ofInt(count)), share), sum)
}
function met(rule: ConsistencyRule, facts: Facts, state: RuleState): boolean {
  const results = resultsOf(rule, facts, state)
  if (sign(results.total) <= 0) return false
  if (rule.basis === 'lots') return ofThisWeek(facts).every((lots) => areEven(rule, lots))
  const most = mul(dec(rule.share), whole(rule, facts, results))
  return rule.compare === 'lt' ? lte(results.best, most) : lt(results.best, most)
}
function standing(rule: ConsistencyRule, facts: Facts, state: RuleState): Standing {
  const results = resultsOf(rule, facts, state)
  const limit = dec(rule.share)
  const value = rule.basis === 'lots' ? leastShare(facts) : bestShare(rule, facts, results)
  return {
    metric: rule.basis,
    value,
    limit,
    remaining: rule.basis === 'lots' ? sub(value, limit) : sub(limit, value),
    used: rule.basis === 'lots' ? { part: limit, whole: value } : { part: value, whole: limit },
    met: met(rule, facts, state),
    unit: 'number',
    ...(rule.basis === 'total' && targetRuleOf(facts)
      ? { effectiveTarget: effectiveTarget(rule, facts, results) }
      : {}),
  }
}
function bestShare(rule: ConsistencyRule, facts: Facts, results: Results): Dec {
  const of = whole(rule, facts, results)
  return sign(of) > 0 ? div(results.best, of) : ZERO
}
/** How near the farthest size is to the average of its symbol: 1 is equal. */
function leastShare(facts: Facts): Dec {
  let least = ofInt(1)
  for (const lots of ofThisWeek(facts)) {
    const { count, sum, least: low, most } = sizesOf(lots)
    least = min(least, min(div(mul(low, ofInt(count)), sum), div(sum, mul(most, ofInt(count)))))
  }
  return least
}
/** max(T, best / share): with the best day as it is, what the total has to come to. */
const effectiveTarget = (rule: ConsistencyRule, facts: Facts, { best }: Results): Dec =>
  max(targetOf(facts), div(max(best, ZERO), dec(rule.share)))

export const consistency: RuleKind<ConsistencyRule> = {
  countsTrades: (rule) => rule.basis === 'trade',
  counter: (rule) => (rule.basis === 'lots' ? { key: 'lots', count: countSize } : null),
  met,
  endDay(rule, facts, state) {
    const today = dayResult(rule, facts)
    if (rule.basis !== 'trade') state.best = state.best ? max(state.best, today) : today
    state.sum = add(state.sum, today)
    state.positive = add(state.positive, max(today, ZERO))
  },
  onFill(rule, fill, _, state) {
    if (rule.basis === 'trade' && fill.ended) {
      const made = rule.gross ? fill.ended.gross : fill.ended.net
      if (!state.best || gt(made, state.best)) state.best = made
    }
  },
  standing,
}
