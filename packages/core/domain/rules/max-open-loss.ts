import type { MaxOpenLossRule } from '../engine/types.ts'
import { type Dec, mul, sign, sub } from '../money/dec.ts'
import type { Facts, RuleKind } from './kind.ts'
import { percent } from './limit.ts'

/** What the open loss is a share of: the balance the day began with, or its profit above B0. */
const basis = (rule: MaxOpenLossRule, facts: Facts): Dec =>
  rule.of === 'balance' ? facts.day.balance : sub(facts.day.balance, facts.initial)

/** Floating loss against a share of the day's start: a floor under equity at B - limit (reference 3.8). A day that starts without profit sets no limit on `day_profit`. */
export const maxOpenLoss: RuleKind<MaxOpenLossRule> = {
  side: 'below',
  metric: () => 'equity',
  floor(rule, facts) {
    const of = basis(rule, facts)
    return sign(of) > 0 ? sub(facts.balance, mul(percent(rule.pct), of)) : null
  },
  start: (_, facts) => facts.balance,
  followsBalance: true,
  testedAt: (_, point) => point === 'every',
}
