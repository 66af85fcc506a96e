import type { ScalingPlanRule } from '../engine/types.ts'
import { type Dec, dec, gt, max, str, sub } from '../money/dec.ts'
import { total, waitingNow } from './exposure.ts'
import type { RuleKind } from './kind.ts'
import { mostOf } from './standing.ts'

/** Largest size under a balance: that of the highest step below it. */
function allowedAt(rule: ScalingPlanRule, balance: Dec): Dec {
  let allowed = dec(rule.base)
  for (const step of rule.steps) if (gt(balance, dec(step.above))) allowed = dec(step.max)
  return allowed
}
/** Largest position by the balance at the last reset: never raised within a day (reference 3.8). */
export const scalingPlan: RuleKind<ScalingPlanRule> = {
  open(rule, facts, state) {
    state.allowed = allowedAt(rule, facts.balance)
  },
  endDay(rule, facts, state) {
    const allowed = allowedAt(rule, facts.balance)
    state.allowed = rule.keeps ? max(state.allowed!, allowed) : allowed
  },
  refuse(_, request, facts, state) {
    const size = total(facts, request, 'quantity')
    if (!gt(size, state.allowed!)) return null
    return { detail: `at most ${str(state.allowed!)} in all today; with this order ${str(size)}`, field: 'quantity' }
  },
  standing(_, facts, state, quoteOf) {
    const value = total(facts, waitingNow(facts, quoteOf), 'quantity')
    return mostOf(value, state.allowed!, sub(state.allowed!, value), 'number')
  },
}
