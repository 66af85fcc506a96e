import type { MaxDailyLossRule } from '../engine/types.ts'
import { sub } from '../money/dec.ts'
import { dailyAllowance, dailyAnchor, dailyTestedAt, followsDayHigh } from './daily-limit.ts'
import type { RuleKind } from './kind.ts'

/** F_k = A - L (reference 3.2). */
export const maxDailyLoss: RuleKind<MaxDailyLossRule> = {
  side: 'below',
  metric: (rule) => rule.metric,
  anchor: dailyAnchor,
  start: dailyAnchor,
  floor(rule, facts) {
    const a = dailyAnchor(rule, facts)
    return sub(a, dailyAllowance(rule, a, facts))
  },
  followsDayHigh,
  testedAt: dailyTestedAt,
}
