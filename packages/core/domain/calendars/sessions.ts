/** When an instrument's market is open: the week's sessions in local time, cut by holidays. */
import { instantOf, offsetAt, type Zone } from '../time/zone.ts'
import type { HolidaysCalendar, SessionsCalendar } from './calendar.ts'
import { minuteOfWeek, requireSound } from './check-calendar.ts'
import { DAY, dateOf, MINUTE, minutesOf, weekOf, weekStart } from './local-time.ts'

/** Open from `from` up to, not including, `to`, ms UTC. */
export interface Session {
  from: number
  to: number
}
export interface Sessions {
  isOpen(at: number): boolean
  /** first end of a session after `at`; null: none within a year */
  nextClose(at: number): number | null
  /** first start of a session after `at`; null: none within a year */
  nextOpen(at: number): number | null
  /** is it open at some instant of [from, to) */
  hasSessionBetween(from: number, to: number): boolean
}

/** Weeks that a search goes ahead, and weeks kept computed. */
const WEEKS_AHEAD = 53
const WEEKS_KEPT = 128

/** What a holiday removes from one session. */
function cutBy({ from, to }: Session, { date, close }: { date: string; close?: string }, zone: Zone): Session[] {
  const midnight = dateOf(date)!
  const end = instantOf(zone, midnight + DAY)
  const start = instantOf(zone, midnight + (close === undefined ? 0 : minutesOf(close)! * MINUTE))
  if (to <= start || from >= end) return [{ from, to }]
  // one that begins after the early close is another session
  if (close !== undefined && from > start) return [{ from, to }]
  return [
    { from, to: start },
    { from: end, to },
  ].filter((piece) => piece.from < piece.to)
}

/**
 * Sessions of a calendar in its zone's local time: a local time that does not exist is the next valid instant, a
 * doubled one the first. RangeError that names the field for a calendar that is not sound.
 */
export function compileSessions(
  calendar: SessionsCalendar,
  holidays: HolidaysCalendar | null,
  zoneNamed: (name: string) => Zone,
): Sessions {
  requireSound(calendar)
  if (holidays) requireSound(holidays)
  const zone = zoneNamed(calendar.zone)
  const weekly = calendar.weekly
    .map(({ from, to }) => ({ from: minuteOfWeek(from, false)!, to: minuteOfWeek(to, true)! }))
    .sort((a, b) => a.from - b.from)
  const kept = new Map<number, readonly Session[]>()

  const compute = (week: number): readonly Session[] => {
    const at = (minute: number): number => instantOf(zone, weekStart(week) + minute * MINUTE)
    let sessions: Session[] = weekly.map(({ from, to }) => ({ from: at(from), to: at(to) }))
    const near = holidays?.dates.filter(({ date }) => Math.abs(weekOf(dateOf(date)!) - week) <= 1) ?? []
    for (const holiday of near) sessions = sessions.flatMap((session) => cutBy(session, holiday, zone))
    return sessions.filter(({ from, to }) => from < to)
  }
  const inWeek = (week: number): readonly Session[] => {
    let found = kept.get(week)
    if (!found) {
      if (kept.size >= WEEKS_KEPT) kept.clear()
      found = compute(week)
      kept.set(week, found)
    }
    return found
  }
  const weekAt = (at: number): number => weekOf(at + offsetAt(zone, at))
  /** Sessions from the week before `at` on; those that touch are one. */
  function* whole(at: number): Generator<Session> {
    let running: Session | null = null
    const first = weekAt(at) - 1
    for (let week = first; week <= first + WEEKS_AHEAD; week++) {
      for (const session of inWeek(week)) {
        if (running && session.from <= running.to) running = { from: running.from, to: session.to }
        else {
          if (running) yield running
          running = session
        }
      }
    }
  }
  const hasSessionBetween = (from: number, to: number): boolean => {
    for (let week = weekAt(from) - 1; week <= weekAt(to) + 1; week++) {
      if (inWeek(week).some((session) => session.from < to && session.to > from)) return true
    }
    return false
  }
  return {
    isOpen: (at) => hasSessionBetween(at, at + 1),
    hasSessionBetween,
    nextClose(at) {
      for (const session of whole(at)) if (session.to > at) return session.to
      return null
    },
    nextOpen(at) {
      for (const session of whole(at)) if (session.from > at) return session.from
      return null
    },
  }
}

/** Does the calendar of an instrument let it trade at this instant? One without a calendar is always open. */
export const isSessionOpen = (market: { sessions: Sessions | null }, at: number): boolean =>
  market.sessions === null || market.sessions.isOpen(at)
