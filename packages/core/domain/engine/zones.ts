import type { AccountSpec } from './types.ts'

type Deciding = Pick<AccountSpec, 'reset_zone' | 'instruments' | 'calendars' | 'phases'>

/** Every time zone whose local time decides something under this spec: resets, sessions, swaps, rules; ascending. */
export function zoneNamesOf({ reset_zone, instruments, calendars, phases }: Deciding): string[] {
  const names = new Set([reset_zone])
  for (const { swap } of instruments) if (swap) names.add(swap.zone)
  for (const calendar of calendars) if (calendar.kind === 'sessions') names.add(calendar.zone)
  for (const { rules } of phases) for (const rule of rules) if ('zone' in rule) names.add(rule.zone)
  return [...names].sort()
}
