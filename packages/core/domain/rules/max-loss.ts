import type { MaxLossRule } from '../engine/types.ts'
import { mul, sub } from '../money/dec.ts'
import type { RuleKind } from './kind.ts'
import { limitOf } from './limit.ts'

/** Static: F = B0 - L, constant (reference 3.3). */
export const maxLoss: RuleKind<MaxLossRule> = {
  floor(rule, { initial }) {
    const { amount, share } = limitOf(rule.limit as { amount: string } | { pct: string })
    return sub(initial, amount ?? mul(share!, initial))
  },
  testedAt: (_, point) => point === 'every',
}
