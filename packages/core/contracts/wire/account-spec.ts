import type { Calendar } from '../../domain/calendars/calendar.ts'
import { type AccountSpec, ENGINE_VERSION } from '../../domain/engine/types.ts'
import { zoneNamesOf } from '../../domain/engine/zones.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'
import { resolveInstruments } from '../../domain/instruments/resolve.ts'
import { zoneOf } from '../../domain/time/zone.ts'
import { AssayError } from '../errors.ts'
import type { TierDocument } from './tier.ts'

export interface ResolvedSpec {
  spec: AccountSpec
  /** `TST/USD.clip`: fields of inline instruments that were left out and have a default */
  defaults: string[]
}
export interface Resolving {
  group?: string
  /** in force; a document of the tier of the same name goes first */
  calendars?: readonly Calendar[]
}

/**
 * What decides an assessment under this tier: the tier's rules, the catalogue with its overrides merged in, and every
 * calendar that they name. Throws AssayError validation_failed that names the place of a calendar that is not there.
 */
export function specOf(
  tier: TierDocument,
  catalogue: readonly Instrument[],
  { group = 'main', calendars = [] }: Resolving = {},
): ResolvedSpec {
  const { instruments, defaults } = resolveInstruments(catalogue, tier.instruments)
  const { name: _, price: _price, fees: _fees, instruments: _said, calendars: own, preset: _made, ...rest } = tier
  const pinned = namedCalendars(tier, instruments, [...calendars, ...own])
  const zones = zoneNamesOf({ ...tier, instruments, calendars: pinned })
    .filter((name) => name !== tier.reset_zone)
    .map(zoneOf)
  return {
    spec: {
      engine: ENGINE_VERSION,
      ...rest,
      zone: zoneOf(tier.reset_zone),
      ...(zones.length > 0 ? { zones } : {}),
      instruments,
      calendars: pinned,
      group,
    },
    defaults,
  }
}

/** The calendars that instruments, rules and other calendars name, by name. */
function namedCalendars(
  tier: TierDocument,
  instruments: readonly Instrument[],
  known: readonly Calendar[],
): Calendar[] {
  const byName = new Map(known.map((calendar) => [calendar.name, calendar]))
  const named = new Map<string, Calendar>()
  const need = (name: string, kind: Calendar['kind'], field: string): Calendar => {
    const calendar = byName.get(name)
    const refuse = (detail: string): never => {
      throw new AssayError('validation_failed', `${field}: ${detail}`, { field })
    }
    if (!calendar) return refuse(`there is no calendar ${name}`)
    if (calendar.kind !== kind) return refuse(`the calendar ${name} is of kind ${calendar.kind}, not ${kind}`)
    named.set(name, calendar)
    return calendar
  }
  for (const { symbol, session_calendar } of instruments) {
    if (session_calendar === null) continue
    const at = tier.instruments.findIndex((said) => said.symbol === symbol)
    const sessions = need(session_calendar, 'sessions', at < 0 ? symbol : `instruments[${at}].session_calendar`)
    if (sessions.kind === 'sessions' && sessions.holidays !== null)
      need(sessions.holidays, 'holidays', `calendars.${sessions.name}.holidays`)
  }
  for (const [p, { rules }] of tier.phases.entries()) {
    for (const [r, rule] of rules.entries())
      if (rule.rule === 'news_window') need(rule.calendar, 'news', `phases[${p}].rules[${r}].calendar`)
  }
  return [...named.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
