/** What is wrong with a calendar, by field. */
import { isZone } from '../time/zone.ts'
import type { Calendar, HolidaysCalendar, NewsCalendar, SessionsCalendar, WeekTime } from './calendar.ts'
import { dateOf, minutesOf, momentOf } from './local-time.ts'

export interface CalendarFault {
  /** `weekly[1].from.time` */
  field: string
  problem: string
}

/** Minutes after the week's start; null when day or time are not legal. */
export function minuteOfWeek({ day, time }: WeekTime, end: boolean): number | null {
  const minutes = end && time === '24:00' ? 1440 : minutesOf(time)
  return minutes === null || !Number.isInteger(day) || day < 1 || day > 7 ? null : (day - 1) * 1440 + minutes
}

function sessionFaults(calendar: SessionsCalendar): CalendarFault[] {
  const faults: CalendarFault[] = []
  const say = (field: string, problem: string) => faults.push({ field, problem })
  if (!isZone(calendar.zone)) say('zone', `unknown time zone ${calendar.zone}`)
  if (calendar.weekly.length === 0) say('weekly', 'must name at least one session')
  const spans: { at: number; from: number; to: number }[] = []
  calendar.weekly.forEach(({ from, to }, at) => {
    for (const [name, value] of [
      ['from', from],
      ['to', to],
    ] as const) {
      if (!Number.isInteger(value.day) || value.day < 1 || value.day > 7)
        say(`weekly[${at}].${name}.day`, 'must be 1 (Monday) to 7')
      else if (minuteOfWeek(value, name === 'to') === null) say(`weekly[${at}].${name}.time`, 'must be HH:MM')
    }
    const [start, end] = [minuteOfWeek(from, false), minuteOfWeek(to, true)]
    if (start === null || end === null) return
    if (end <= start) say(`weekly[${at}].to`, 'must come after from, in the same week')
    else spans.push({ at, from: start, to: end })
  })
  spans.sort((a, b) => a.from - b.from)
  for (let i = 1; i < spans.length; i++) {
    if (spans[i]!.from < spans[i - 1]!.to) say(`weekly[${spans[i]!.at}]`, `overlaps weekly[${spans[i - 1]!.at}]`)
  }
  return faults
}

function holidayFaults(calendar: HolidaysCalendar): CalendarFault[] {
  const faults: CalendarFault[] = []
  const seen = new Set<string>()
  calendar.dates.forEach(({ date, close }, at) => {
    if (dateOf(date) === null) faults.push({ field: `dates[${at}].date`, problem: 'must be YYYY-MM-DD' })
    if (seen.has(date)) faults.push({ field: `dates[${at}].date`, problem: `${date} is there twice` })
    seen.add(date)
    if (close !== undefined && minutesOf(close) === null)
      faults.push({ field: `dates[${at}].close`, problem: 'must be HH:MM' })
  })
  return faults
}

function newsFaults(calendar: NewsCalendar): CalendarFault[] {
  const faults: CalendarFault[] = []
  calendar.events.forEach(({ at, currency, impact }, i) => {
    if (momentOf(at) === null)
      faults.push({ field: `events[${i}].at`, problem: 'must be an ISO 8601 instant with a zone' })
    if (!/^[A-Z0-9]{2,15}$/.test(currency))
      faults.push({ field: `events[${i}].currency`, problem: 'must be a currency such as USD' })
    if (!['low', 'medium', 'high'].includes(impact))
      faults.push({ field: `events[${i}].impact`, problem: 'must be low, medium or high' })
  })
  return faults
}

/** Everything wrong with one calendar on its own; empty when it is sound. */
export function calendarFaults(calendar: Calendar): CalendarFault[] {
  switch (calendar.kind) {
    case 'sessions':
      return sessionFaults(calendar)
    case 'holidays':
      return holidayFaults(calendar)
    case 'news':
      return newsFaults(calendar)
  }
}
/** RangeError that names calendar and field when it is not sound. */
export function requireSound(calendar: Calendar): void {
  const fault = calendarFaults(calendar)[0]
  if (fault) throw new RangeError(`calendar ${calendar.name}: ${fault.field}: ${fault.problem}`)
}
