import type { ProfitTargetRule } from '../engine/types.ts'
import { add, type Dec, dec, gte, mul, sub } from '../money/dec.ts'
import type { Facts, RuleKind } from './kind.ts'
import { percent } from './limit.ts'

/** T in money. */
export const targetAmount = (rule: ProfitTargetRule, initial: Dec): Dec =>
  rule.amount === undefined ? mul(percent(rule.pct!), initial) : dec(rule.amount)

export const targetRuleOf = (facts: Facts): ProfitTargetRule | undefined =>
  facts.compiled.spec.phases[facts.account.phase]!.rules.find((r): r is ProfitTargetRule => r.rule === 'profit_target')

/** T of the phase, for rules that are measured by it. Throws RangeError where the phase has no target. */
export function targetOf(facts: Facts): Dec {
  const rule = targetRuleOf(facts)
  if (!rule) throw new RangeError('a rule measured by the profit target needs one in its phase')
  return targetAmount(rule, facts.initial)
}
/** What counts towards the target. */
export const madeOf = (rule: ProfitTargetRule, facts: Facts): Dec =>
  sub(rule.basis === 'equity' ? facts.equity : facts.balance, facts.initial)

/** Met when basis - B0 >= T, and flat with no working orders where that is required (reference 3.4). */
export const profitTarget: RuleKind<ProfitTargetRule> = {
  met: (rule, facts) =>
    (!rule.require_flat || facts.flat) && gte(madeOf(rule, facts), targetAmount(rule, facts.initial)),
  reach(rule, facts) {
    if (rule.basis === 'balance' || rule.require_flat) return null
    return { equity: add(facts.initial, targetAmount(rule, facts.initial)), side: 'above' }
  },
  standing(rule, facts, state) {
    const made = madeOf(rule, facts)
    const target = targetAmount(rule, facts.initial)
    return {
      metric: rule.basis,
      value: made,
      limit: target,
      remaining: sub(target, made),
      used: { part: made, whole: target },
      met: rule.sticky && state.reachedAt !== null ? true : profitTarget.met!(rule, facts, state),
      unit: 'money',
    }
  },
}
