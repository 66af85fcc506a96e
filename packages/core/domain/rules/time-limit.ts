import { DAY } from '../calendars/local-time.ts'
import type { TimeLimitRule } from '../engine/types.ts'
import { div, ofInt, sub } from '../money/dec.ts'
import { instantOf, offsetAt } from '../time/zone.ts'
import type { Facts, RuleKind, Standing } from './kind.ts'
import { countOf, mostOf } from './standing.ts'

/** `days` local dates of the reset zone later, at the same local time. */
function daysLater({ compiled: { zone } }: Facts, at: number, days: number): number {
  return instantOf(zone, at + offsetAt(zone, at) + days * DAY)
}
/** A trading day is one in which an instrument of the account has a session. */
function isTradingDay({ compiled, day }: Facts): boolean {
  return [...compiled.markets.values()].some((m) => !m.sessions || m.sessions.hasSessionBetween(day.start, day.next))
}
const hasStarted = (rule: TimeLimitRule, facts: Facts): boolean =>
  rule.from === 'start' || facts.account.trades.firstAt !== null

/** With objectives open when the time is over, the phase is expired (reference 3.5). */
export const timeLimit: RuleKind<TimeLimitRule> = {
  pauses: true,
  open(rule, facts, state) {
    if (rule.unit === 'calendar' && rule.from === 'start') state.due = daysLater(facts, facts.at, rule.days)
  },
  onFill(rule, _, facts, state) {
    if (rule.unit === 'calendar' && rule.from === 'first_fill' && facts.account.trades.firstAt === facts.at)
      state.due ??= daysLater(facts, facts.at, rule.days)
  },
  endDay(rule, facts, state) {
    if (rule.unit !== 'trading' || facts.account.status === 'paused') return
    if (!hasStarted(rule, facts) || !isTradingDay(facts)) return
    state.days += 1
    if (state.days >= rule.days) state.due = facts.at
  },
  passDue(_rule, _facts, state) {
    state.due = null
    return { expires: true }
  },
  standing(rule, facts, state): Standing {
    if (rule.unit === 'trading') return countOf(state.days, rule.days, null)
    const left = state.due === null ? ofInt(rule.days) : div(ofInt(Math.max(0, state.due - facts.at)), ofInt(DAY), 4)
    const limit = ofInt(rule.days)
    return { ...mostOf(sub(limit, left), limit, left, 'number'), metric: 'days' }
  },
}
