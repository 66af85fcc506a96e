import type { WinningDaysRule } from '../engine/types.ts'
import { dec, gte, sub } from '../money/dec.ts'
import type { RuleKind } from './kind.ts'
import { countOf } from './standing.ts'

/** Days whose booked result is at least the amount; known when the day has ended (reference 3.5). */
export const winningDays: RuleKind<WinningDaysRule> = {
  met: (rule, _, state) => state.days >= rule.n,
  endDay(rule, facts, state) {
    if (gte(sub(facts.balance, facts.day.balance), dec(rule.amount))) state.days += 1
  },
  standing: (rule, _, state) => countOf(state.days, rule.n, state.days >= rule.n),
}
