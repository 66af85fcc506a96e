import { DAY } from '../calendars/local-time.ts'
import type { InactivityRule } from '../engine/types.ts'
import { div, ofInt, sub } from '../money/dec.ts'
import type { RuleKind } from './kind.ts'
import { mostOf } from './standing.ts'

/** No fill for so many times 24 hours of unpaused market time; said once, until a fill starts the clock again. */
export const inactivity: RuleKind<InactivityRule> = {
  pauses: true,
  open(rule, facts, state) {
    state.due = facts.at + rule.days * DAY
  },
  onFill(rule, _, facts, state) {
    state.due = facts.at + rule.days * DAY
  },
  passDue(rule, _, state) {
    state.due = null
    const days = ofInt(rule.days)
    return { found: { metric: 'days_without_fill', value: days, limit: days, side: 'above' } }
  },
  standing(rule, facts, state) {
    const limit = ofInt(rule.days)
    const left = div(ofInt(state.due === null ? 0 : Math.max(0, state.due - facts.at)), ofInt(DAY), 4)
    return { ...mostOf(sub(limit, left), limit, left, 'number'), metric: 'days_without_fill' }
  },
}
