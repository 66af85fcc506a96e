import { DAY, MINUTE, minutesOf, weekOf, weekStart } from '../calendars/local-time.ts'
import type { WeekendFlatRule } from '../engine/types.ts'
import { instantOf, offsetAt } from '../time/zone.ts'
import { flatStanding, flatten, refuseAfter, sessionsOf } from './flat.ts'
import type { Facts, RuleKind } from './kind.ts'

/** Cut-off of the local week that lies `weeks` after the one of `at`. */
function cutOff(rule: WeekendFlatRule, facts: Facts, weeks: number): number {
  const zone = facts.compiled.zoneNamed(rule.zone)
  const week = weekOf(facts.at + offsetAt(zone, facts.at)) + weeks
  return instantOf(zone, weekStart(week) + (rule.day - 1) * DAY + minutesOf(rule.time)! * MINUTE)
}
const nextCutOff = (rule: WeekendFlatRule, facts: Facts): number => {
  const now = cutOff(rule, facts, 0)
  return now > facts.at ? now : cutOff(rule, facts, 1)
}
const lastCutOff = (rule: WeekendFlatRule, facts: Facts): number => {
  const now = cutOff(rule, facts, 0)
  return now <= facts.at ? now : cutOff(rule, facts, -1)
}
const closes = (facts: Facts) => (symbol: string) => sessionsOf(facts, symbol) !== null

/** Positions in instruments that close are closed at a local time of a week day. */
export const weekendFlat: RuleKind<WeekendFlatRule> = {
  flattens: true,
  open(rule, facts, state) {
    state.due = nextCutOff(rule, facts)
  },
  passDue(rule, facts, state) {
    state.due = nextCutOff(rule, facts)
    return flatten(facts, closes(facts))
  },
  refuse: (rule, request, facts) =>
    closes(facts)(request.order.symbol) ? refuseAfter(request, facts, lastCutOff(rule, facts)) : null,
  standing: (_, facts) => flatStanding(facts, closes(facts)),
}
