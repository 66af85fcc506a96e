import type { MaxDailyLossRule } from '../engine/types.ts'
import { type Dec, max, mul, sub } from '../money/dec.ts'
import type { Facts, RuleKind } from './kind.ts'
import { limitOf } from './limit.ts'

/** A: balance or equity at the day's reset, the higher of both, the initial balance, or the day's highest equity. */
function anchor(rule: MaxDailyLossRule, facts: Facts): Dec {
  switch (rule.anchor) {
    case 'balance':
      return facts.day.balance
    case 'equity':
      return facts.day.equity
    case 'max':
      return max(facts.day.balance, facts.day.equity)
    case 'initial':
      return facts.initial
    case 'day_high':
      return facts.day.high
  }
}
/** F_k = A - L (reference 3.2). */
export const maxDailyLoss: RuleKind<MaxDailyLossRule> = {
  anchor,
  floor(rule, facts) {
    const a = anchor(rule, facts)
    const { amount, share } = limitOf(rule.limit)
    if (amount) return sub(a, amount)
    return sub(a, mul(share!, 'of' in rule.limit && rule.limit.of === 'initial' ? facts.initial : a))
  },
  testedAt: (rule, point) => (rule.tested === 'always' ? point === 'every' : point === 'reset'),
}
