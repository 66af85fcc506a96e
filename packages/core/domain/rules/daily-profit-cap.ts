import type { DailyProfitCapRule } from '../engine/types.ts'
import { add } from '../money/dec.ts'
import { dailyAllowance, dailyAnchor, dailyTestedAt, followsDayHigh } from './daily-limit.ts'
import type { RuleKind } from './kind.ts'

/** The daily loss upward: a ceiling at A + L. */
export const dailyProfitCap: RuleKind<DailyProfitCapRule> = {
  side: 'above',
  metric: (rule) => rule.metric,
  anchor: dailyAnchor,
  floor(rule, facts) {
    const a = dailyAnchor(rule, facts)
    return add(a, dailyAllowance(rule, a, facts))
  },
  followsDayHigh,
  testedAt: dailyTestedAt,
}
