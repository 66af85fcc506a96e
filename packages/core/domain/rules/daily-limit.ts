/** What a daily loss and a daily cap share: an anchor A and an allowance L (reference 3.2). */
import type { DailyProfitCapRule, MaxDailyLossRule } from '../engine/types.ts'
import { type Dec, max, mul } from '../money/dec.ts'
import type { Facts, Point } from './kind.ts'
import { limitOf } from './limit.ts'

type DailyRule = MaxDailyLossRule | DailyProfitCapRule

/** A: balance or equity at the day's reset, the higher of both, the initial balance, or the day's highest equity. */
export function dailyAnchor(rule: DailyRule, facts: Facts): Dec {
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
/** L in money, under an anchor. */
export function dailyAllowance(rule: DailyRule, anchor: Dec, facts: Facts): Dec {
  const { amount, share } = limitOf(rule.limit)
  if (amount) return amount
  return mul(share!, 'of' in rule.limit && rule.limit.of === 'initial' ? facts.initial : anchor)
}
export const dailyTestedAt = (rule: DailyRule, point: Point): boolean =>
  rule.tested === 'always' ? point === 'every' : point === 'reset'
export const followsDayHigh = (rule: DailyRule): boolean => rule.anchor === 'day_high'
