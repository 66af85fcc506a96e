import type { ProfitTargetRule } from '../engine/types.ts'
import type { Dec } from '../money/dec.ts'
import { dec, gte, mul, sub } from '../money/dec.ts'
import type { RuleKind } from './kind.ts'

/** T in money. */
export const targetAmount = (rule: ProfitTargetRule, initial: Dec): Dec =>
  rule.amount === undefined ? mul(mul(dec(rule.pct!), dec('0.01')), initial) : dec(rule.amount)

/** Met when basis - B0 >= T, and flat with no working orders where that is required (reference 3.4). */
export const profitTarget: RuleKind<ProfitTargetRule> = {
  met: (rule, facts) =>
    (!rule.require_flat || facts.flat) &&
    gte(sub(rule.basis === 'equity' ? facts.equity : facts.balance, facts.initial), targetAmount(rule, facts.initial)),
}
