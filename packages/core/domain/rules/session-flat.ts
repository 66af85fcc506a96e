import { MINUTE } from '../calendars/local-time.ts'
import type { SessionFlatRule } from '../engine/types.ts'
import { flatStanding, flatten, refuseAfter, sessionsOf } from './flat.ts'
import type { Facts, RuleKind } from './kind.ts'

/** The first cut-off of a symbol after an instant: `minutes` before the end of a session. */
function cutOffAfter(rule: SessionFlatRule, facts: Facts, symbol: string, at: number): number | null {
  const close = sessionsOf(facts, symbol)?.nextClose(at + rule.minutes * MINUTE) ?? null
  return close === null ? null : close - rule.minutes * MINUTE
}
function nextDue(rule: SessionFlatRule, facts: Facts): number | null {
  let next: number | null = null
  for (const symbol of facts.compiled.markets.keys()) {
    const at = cutOffAfter(rule, facts, symbol, facts.at)
    if (at !== null && (next === null || at < next)) next = at
  }
  return next
}

/** Positions are closed some minutes before the end of each session of their instrument. */
export const sessionFlat: RuleKind<SessionFlatRule> = {
  flattens: true,
  open(rule, facts, state) {
    state.due = nextDue(rule, facts)
  },
  passDue(rule, facts, state) {
    const due = facts.at
    state.due = nextDue(rule, facts)
    return flatten(facts, (symbol) => cutOffAfter(rule, facts, symbol, due - 1) === due)
  },
  refuse(rule, request, facts) {
    const { symbol } = request.order
    const close = sessionsOf(facts, symbol)?.nextClose(facts.at) ?? null
    const cutOff = close === null ? null : close - rule.minutes * MINUTE
    return cutOff !== null && cutOff <= facts.at ? refuseAfter(request, facts, cutOff) : null
  },
  standing: (_, facts) => flatStanding(facts, (symbol) => sessionsOf(facts, symbol) !== null),
}
