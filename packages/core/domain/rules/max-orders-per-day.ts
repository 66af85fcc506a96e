import type { MaxOrdersPerDayRule } from '../engine/types.ts'
import type { RuleKind } from './kind.ts'
import { countOf } from './standing.ts'

/** Orders accepted in one trading day; those that only reduce are counted, and never refused; an amendment is no order. */
export const maxOrdersPerDay: RuleKind<MaxOrdersPerDayRule> = {
  refuse(rule, { amends }, facts) {
    if (amends || facts.day.orders < rule.n) return null
    return { detail: `at most ${rule.n} orders a day; with this one ${facts.day.orders + 1}`, field: 'quantity' }
  },
  standing: (rule, facts) => countOf(facts.day.orders, rule.n, null),
}
