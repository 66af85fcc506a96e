/** Local time, resets and sessions, from the runtime's own calendar (`Intl`), not from the table that the engine uses. */

import type { HolidaysCalendar, SessionsCalendar } from '../../domain/calendars/calendar.ts'
import type { AccountSpec } from '../../domain/engine/types.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
const clocks = new Map<string, Intl.DateTimeFormat>()
const found = new Map<string, number>()

/** The wall clock of a zone at an instant: `YYYY-MM-DD HH:MM`. */
export function wall(zone: string, ms: number): string {
  let clock = clocks.get(zone)
  if (!clock) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' })
    clocks.set(zone, clock)
  }
  return clock.format(ms)
}
export const localDay = (zone: string, ms: number): string => wall(zone, ms).slice(0, 10)
/** 1 is Monday. */
export const weekDay = (date: string): number => ((Date.parse(`${date}T00:00:00Z`) / DAY + 3) % 7) + 1
export const datePlus = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10)

/**
 * The first instant at which the wall clock shows `date time` or later: the first of two, and the end of the jump
 * when clocks jump over it. Looked for in steps of an hour, then minute by minute from well before it: a clock that
 * is set back shows a time twice.
 */
export function instantOn(zone: string, date: string, time: string): number {
  if (time === '24:00') return instantOn(zone, datePlus(date, 1), '00:00')
  const key = `${zone} ${date} ${time}`
  const known = found.get(key)
  if (known !== undefined) return known
  let ms = Date.parse(`${date}T${time}:00Z`) - 15 * HOUR
  while (wall(zone, ms) < `${date} ${time}`) ms += HOUR
  ms -= 3 * HOUR
  while (wall(zone, ms) < `${date} ${time}`) ms += MINUTE
  found.set(key, ms)
  return ms
}
/** The first reset after `ms`. */
export function resetAfter(zone: string, time: string, ms: number): number {
  for (let date = new Date(ms - 2 * DAY).toISOString().slice(0, 10); ; date = datePlus(date, 1)) {
    const instant = instantOn(zone, date, time)
    if (instant > ms) return instant
  }
}
/** The same local time so many local dates later, to the millisecond. */
export function daysAfter(zone: string, ms: number, days: number): number {
  const [date, time] = wall(zone, ms).split(' ') as [string, string]
  const later = datePlus(date, days)
  const at = instantOn(zone, later, time)
  // a time that clocks jump over has no seconds either
  return wall(zone, at) === `${later} ${time}` ? at + (ms % MINUTE) : at
}

// ---- sessions ------------------------------------------------------------------------------------------------------
type Span = [from: number, to: number]
const WINDOW = 28 * DAY
const windows = new WeakMap<SessionsCalendar, Map<number, Span[]>>()

/** Sessions around an instant, touching ones as one, holidays cut out. */
function sessionsAround(calendar: SessionsCalendar, holidays: HolidaysCalendar | null, ms: number): Span[] {
  let known = windows.get(calendar)
  if (!known) {
    known = new Map()
    windows.set(calendar, known)
  }
  const index = Math.floor(ms / WINDOW)
  let spans = known.get(index)
  if (!spans) {
    spans = sessionsOf(calendar, holidays, index * WINDOW - 16 * DAY, (index + 1) * WINDOW + 16 * DAY)
    known.set(index, spans)
  }
  return spans
}
function sessionsOf(
  { zone, weekly }: SessionsCalendar,
  holidays: HolidaysCalendar | null,
  from: number,
  to: number,
): Span[] {
  let spans: Span[] = []
  const end = localDay(zone, to)
  for (let date = localDay(zone, from); date < end; date = datePlus(date, 1)) {
    for (const session of weekly) {
      if (session.from.day !== weekDay(date)) continue
      const start = instantOn(zone, date, session.from.time)
      const stop = instantOn(zone, datePlus(date, session.to.day - session.from.day), session.to.time)
      if (stop > start) spans.push([start, stop])
    }
  }
  spans.sort((a, b) => a[0] - b[0])
  for (const { date, close } of holidays?.dates ?? []) {
    if (date < localDay(zone, from) || date > end) continue
    const midnight = instantOn(zone, date, '24:00')
    if (close === undefined) {
      spans = cut(spans, [instantOn(zone, date, '00:00'), midnight])
      continue
    }
    const early = instantOn(zone, date, close)
    const running = joined(spans).find(([start, stop]) => start <= early && early < stop)
    if (running) spans = cut(spans, [early, Math.min(running[1], midnight)])
  }
  return joined(spans)
}
const cut = (spans: Span[], [from, to]: Span): Span[] =>
  spans.flatMap(([start, stop]) => {
    const kept: Span[] = [
      [start, Math.min(stop, from)],
      [Math.max(start, to), stop],
    ]
    return kept.filter(([a, b]) => a < b)
  })
function joined(spans: Span[]): Span[] {
  const merged: Span[] = []
  for (const [start, stop] of spans) {
    const last = merged.at(-1)
    if (last && start <= last[1]) last[1] = Math.max(last[1], stop)
    else merged.push([start, stop])
  }
  return merged
}
function spansFor(spec: AccountSpec, instrument: Instrument, ms: number): Span[] | null {
  const calendar = spec.calendars.find((c) => c.kind === 'sessions' && c.name === instrument.session_calendar)
  if (calendar?.kind !== 'sessions') return null
  const holidays = spec.calendars.find((c) => c.kind === 'holidays' && c.name === calendar.holidays)
  return sessionsAround(calendar, holidays?.kind === 'holidays' ? holidays : null, ms)
}
export function inSession(spec: AccountSpec, instrument: Instrument, ms: number): boolean {
  const spans = spansFor(spec, instrument, ms)
  return spans === null || spans.some(([from, to]) => from <= ms && ms < to)
}
/** The first end of a session after `ms`. */
export function sessionEndAfter(spec: AccountSpec, instrument: Instrument, ms: number): number | null {
  const spans = spansFor(spec, instrument, ms)
  return spans?.find(([, to]) => to > ms)?.[1] ?? null
}
export function hasSessionIn(spec: AccountSpec, instrument: Instrument, from: number, to: number): boolean {
  const spans = spansFor(spec, instrument, from)
  return spans === null || spans.some(([a, b]) => a < to && b > from)
}
