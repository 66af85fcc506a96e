import { DAY, MINUTE, minutesOf, weekDayOf } from '../calendars/local-time.ts'
import type { AllowedSessionsRule } from '../engine/types.ts'
import { instantOf, offsetAt, type Zone } from '../time/zone.ts'
import type { RuleKind } from './kind.ts'
import { listOf } from './standing.ts'

const minutesAt = (time: string): number => (time === '24:00' ? 1440 : minutesOf(time)!)

/** Open from a window's start up to, not including, its end; an end before its start is on the next day. */
export function isAllowedAt(rule: AllowedSessionsRule, zone: Zone, at: number): boolean {
  const midnight = Math.floor((at + offsetAt(zone, at)) / DAY) * DAY
  return [midnight - DAY, midnight].some((day) =>
    rule.windows.some(({ days, from, to }) => {
      if (!days.includes(weekDayOf(day))) return false
      const [start, end] = [minutesAt(from), minutesAt(to)]
      const last = end <= start ? end + 1440 : end
      return at >= instantOf(zone, day + start * MINUTE) && at < instantOf(zone, day + last * MINUTE)
    }),
  )
}
const windowsOf = (rule: AllowedSessionsRule): string[] =>
  rule.windows.map(({ days, from, to }) => `${days.join(',')} ${from}-${to}`)

/** Orders that add exposure inside local windows only. */
export const allowedSessions: RuleKind<AllowedSessionsRule> = {
  refuse(rule, _, facts) {
    if (isAllowedAt(rule, facts.compiled.zoneNamed(rule.zone), facts.at)) return null
    return { detail: `only ${windowsOf(rule).join('; ')} in ${rule.zone}`, field: 'symbol' }
  },
  standing(rule, facts) {
    const open = isAllowedAt(rule, facts.compiled.zoneNamed(rule.zone), facts.at)
    return { ...listOf([open ? 'open' : 'closed'], windowsOf(rule)), met: open }
  },
}
