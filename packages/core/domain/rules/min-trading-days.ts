import type { RuleState } from '../engine/state.ts'
import type { MinTradingDaysRule } from '../engine/types.ts'
import { abs, gte, mul, sub } from '../money/dec.ts'
import type { Facts, RuleKind } from './kind.ts'
import { percent } from './limit.ts'
import { countOf } from './standing.ts'

/** Does the day count that these facts belong to? `moved` and `won` are known when the day has ended: its booked result against pct of B0. */
function counts(rule: MinTradingDaysRule, facts: Facts, ended: boolean): boolean {
  if (rule.counts === 'opened') return facts.day.opened
  if (rule.counts === 'opened_and_closed') return facts.day.openedAndClosed
  if (!ended) return false
  const result = sub(facts.balance, facts.day.balance)
  return gte(rule.counts === 'moved' ? abs(result) : result, mul(percent(rule.pct!), facts.initial))
}
export const daysCounted = (rule: MinTradingDaysRule, facts: Facts, state: RuleState): number =>
  state.days + (counts(rule, facts, false) ? 1 : 0)

/** Days counted so far, the present one included as soon as it counts (reference 3.5). */
export const minTradingDays: RuleKind<MinTradingDaysRule> = {
  met: (rule, facts, state) => daysCounted(rule, facts, state) >= rule.n,
  endDay(rule, facts, state) {
    if (counts(rule, facts, true)) state.days += 1
  },
  standing(rule, facts, state) {
    const days = daysCounted(rule, facts, state)
    return countOf(days, rule.n, days >= rule.n)
  },
}
