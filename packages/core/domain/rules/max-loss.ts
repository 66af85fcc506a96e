import type { MaxLossRule } from '../engine/types.ts'
import { dec, mul, sub } from '../money/dec.ts'
import type { RuleKind } from './kind.ts'

/** Static: F = B0 - L, constant (reference 3.3). */
export const maxLoss: RuleKind<MaxLossRule> = {
  floor: (rule, facts) =>
    sub(
      facts.initial,
      'amount' in rule.limit ? dec(rule.limit.amount) : mul(mul(dec(rule.limit.pct), dec('0.01')), facts.initial),
    ),
  testedAt: (_, point) => point === 'every',
}
