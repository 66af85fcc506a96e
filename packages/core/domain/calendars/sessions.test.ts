import { expect, test } from 'bun:test'
import { zoneOf } from '../time/zone.ts'
import type { HolidaysCalendar, SessionsCalendar } from './calendar.ts'
import { compileSessions, isSessionOpen } from './sessions.ts'

const at = (text: string) => Date.parse(text)
const iso = (ms: number | null) => ms && new Date(ms).toISOString().replace(':00.000Z', 'Z')
const calendar = (zone: string, weekly: SessionsCalendar['weekly'], holidays: string | null = null) =>
  ({ name: 'c', version: 1, kind: 'sessions', zone, weekly, holidays }) satisfies SessionsCalendar
const days = (dates: HolidaysCalendar['dates']): HolidaysCalendar => ({
  name: 'h',
  version: 1,
  kind: 'holidays',
  dates,
})
/** Sunday 17:00 to Friday 17:00 New York: two pieces, since a session lies in one week. */
const FX = calendar('America/New_York', [
  { from: { day: 7, time: '17:00' }, to: { day: 7, time: '24:00' } },
  { from: { day: 1, time: '00:00' }, to: { day: 5, time: '17:00' } },
])
/** 17:00 to 16:00 Chicago, from Sunday evening to Friday. */
const FUTURES = calendar(
  'America/Chicago',
  [1, 2, 3, 4, 5].flatMap((day) => [
    { from: { day, time: '00:00' }, to: { day, time: '16:00' } },
    ...(day < 5 ? [{ from: { day, time: '17:00' }, to: { day, time: '24:00' } }] : []),
    ...(day === 1 ? [{ from: { day: 7, time: '17:00' }, to: { day: 7, time: '24:00' } }] : []),
  ]),
)
const open = (c: SessionsCalendar, holidays: HolidaysCalendar | null = null) => compileSessions(c, holidays, zoneOf)

test('a session is open from its start up to, not at, its end', () => {
  const fx = open(FX)
  expect(fx.isOpen(at('2026-01-11T21:59:59.999Z'))).toBe(false)
  expect(fx.isOpen(at('2026-01-11T22:00:00Z'))).toBe(true)
  expect(fx.isOpen(at('2026-01-16T21:59:59.999Z'))).toBe(true)
  expect(fx.isOpen(at('2026-01-16T22:00:00Z'))).toBe(false)
})
test('sessions that touch, across a week end too, are one: Sunday midnight is no close', () => {
  const fx = open(FX)
  expect(iso(fx.nextClose(at('2026-01-11T23:00:00Z')))).toBe('2026-01-16T22:00Z')
  expect(iso(fx.nextOpen(at('2026-01-11T23:00:00Z')))).toBe('2026-01-18T22:00Z')
})
test('an end is not its own next end, a start not its own next start', () => {
  const fx = open(FX)
  expect(iso(fx.nextClose(at('2026-01-16T22:00:00Z')))).toBe('2026-01-23T22:00Z')
  expect(iso(fx.nextOpen(at('2026-01-18T22:00:00Z')))).toBe('2026-01-25T22:00Z')
})
test('clock changes move sessions in UTC: New York closes an hour earlier from 13 March 2026 on', () => {
  const fx = open(FX)
  expect(iso(fx.nextClose(at('2026-03-06T00:00:00Z')))).toBe('2026-03-06T22:00Z')
  expect(iso(fx.nextOpen(at('2026-03-07T00:00:00Z')))).toBe('2026-03-08T21:00Z')
  expect(iso(fx.nextClose(at('2026-03-09T00:00:00Z')))).toBe('2026-03-13T21:00Z')
})
test('a start at a local time that does not exist comes at the next valid instant, a doubled one on the first', () => {
  const night = open(calendar('Europe/Prague', [{ from: { day: 7, time: '02:30' }, to: { day: 7, time: '04:00' } }]))
  expect(iso(night.nextOpen(at('2026-03-28T00:00:00Z')))).toBe('2026-03-29T01:00Z')
  expect(iso(night.nextOpen(at('2026-10-24T00:00:00Z')))).toBe('2026-10-25T00:30Z')
})
test('a session that the clock change swallows is none', () => {
  const gone = open(calendar('Europe/Prague', [{ from: { day: 7, time: '02:10' }, to: { day: 7, time: '02:50' } }]))
  expect(gone.hasSessionBetween(at('2026-03-29T00:00:00Z'), at('2026-03-30T00:00:00Z'))).toBe(false)
})
test('a holiday takes its whole local date', () => {
  const fx = open({ ...FX, holidays: 'h' }, days([{ date: '2026-12-25' }]))
  expect(iso(fx.nextClose(at('2026-12-24T12:00:00Z')))).toBe('2026-12-25T05:00Z')
  expect(fx.hasSessionBetween(at('2026-12-25T05:00:00Z'), at('2026-12-26T05:00:00Z'))).toBe(false)
  expect(iso(fx.nextOpen(at('2026-12-25T12:00:00Z')))).toBe('2026-12-27T22:00Z')
})
test('an early close ends the session that runs then; one that begins later that day stays', () => {
  const futures = open({ ...FUTURES, holidays: 'h' }, days([{ date: '2026-11-26', close: '12:00' }]))
  expect(iso(futures.nextClose(at('2026-11-26T14:00:00Z')))).toBe('2026-11-26T18:00Z')
  expect(futures.isOpen(at('2026-11-26T18:00:00Z'))).toBe(false)
  expect(iso(futures.nextOpen(at('2026-11-26T18:00:00Z')))).toBe('2026-11-26T23:00Z')
})
test('a session that would begin at the early close itself does not', () => {
  const twice = calendar(
    'UTC',
    [
      { from: { day: 4, time: '08:00' }, to: { day: 4, time: '12:00' } },
      { from: { day: 4, time: '13:00' }, to: { day: 4, time: '17:00' } },
    ],
    'h',
  )
  const thursday = open(twice, days([{ date: '2026-11-26', close: '13:00' }]))
  expect(iso(thursday.nextClose(at('2026-11-26T09:00:00Z')))).toBe('2026-11-26T12:00Z')
  expect(iso(thursday.nextOpen(at('2026-11-26T09:00:00Z')))).toBe('2026-12-03T08:00Z')
})
test('an early close shuts a session of many days until the end of that date only', () => {
  const fx = open({ ...FX, holidays: 'h' }, days([{ date: '2026-11-26', close: '13:00' }]))
  expect(iso(fx.nextClose(at('2026-11-26T12:00:00Z')))).toBe('2026-11-26T18:00Z')
  expect(iso(fx.nextOpen(at('2026-11-26T18:00:00Z')))).toBe('2026-11-27T05:00Z')
})
test('days without a session are known as such', () => {
  const fx = open(FX)
  const saturday = at('2026-01-17T05:00:00Z')
  expect(fx.hasSessionBetween(saturday, saturday + 86_400_000)).toBe(false)
  expect(fx.hasSessionBetween(saturday + 86_400_000, saturday + 2 * 86_400_000)).toBe(true)
  // the day's end is not in it
  expect(fx.hasSessionBetween(saturday, at('2026-01-18T22:00:00Z'))).toBe(false)
})
test('a market that never closes has no next close', () => {
  const always = open(calendar('UTC', [{ from: { day: 1, time: '00:00' }, to: { day: 7, time: '24:00' } }]))
  expect(always.isOpen(at('2026-01-01T00:00:00Z'))).toBe(true)
  expect(always.nextClose(at('2026-01-01T00:00:00Z'))).toBe(null)
})
test('an instrument without a calendar is always open', () => {
  expect(isSessionOpen({ sessions: null }, 0)).toBe(true)
  expect(isSessionOpen({ sessions: open(FX) }, at('2026-01-17T12:00:00Z'))).toBe(false)
})
test('year after year the instants around each start and end are what they say', () => {
  const sessions = open(
    { ...FUTURES, holidays: 'h' },
    days([{ date: '2026-07-03', close: '12:00' }, { date: '2026-12-25' }]),
  )
  let cursor = at('2025-01-01T00:00:00Z')
  for (let i = 0; i < 1500; i++) {
    const opens = sessions.nextOpen(cursor)!
    const closes = sessions.nextClose(opens)!
    expect(opens).toBeGreaterThan(cursor)
    expect([opens - 1, opens, closes - 1, closes].map(sessions.isOpen)).toEqual([false, true, true, false])
    cursor = closes
  }
})
test.each([
  ['zone', { ...FX, zone: 'Mars/Olympus' }],
  ['weekly', { ...FX, weekly: [] }],
  ['weekly[0].from.time', calendar('UTC', [{ from: { day: 1, time: '9:00' }, to: { day: 1, time: '17:00' } }])],
  ['weekly[0].from.time', calendar('UTC', [{ from: { day: 1, time: '24:00' }, to: { day: 2, time: '17:00' } }])],
  ['weekly[0].to.day', calendar('UTC', [{ from: { day: 1, time: '09:00' }, to: { day: 8, time: '17:00' } }])],
  ['weekly[0].from.day', calendar('UTC', [{ from: { day: 0, time: '09:00' }, to: { day: 1, time: '17:00' } }])],
  ['weekly[0].from.day', calendar('UTC', [{ from: { day: 1.5, time: '09:00' }, to: { day: 2, time: '17:00' } }])],
  ['weekly[0].to', calendar('UTC', [{ from: { day: 1, time: '09:00' }, to: { day: 1, time: '09:00' } }])],
  ['weekly[0].to', calendar('UTC', [{ from: { day: 5, time: '09:00' }, to: { day: 1, time: '17:00' } }])],
  [
    'weekly[1]: overlaps weekly[0]',
    calendar('UTC', [
      { from: { day: 1, time: '09:00' }, to: { day: 1, time: '17:00' } },
      { from: { day: 1, time: '16:59' }, to: { day: 1, time: '18:00' } },
    ]),
  ],
])('a calendar that is not sound is refused and the field named: %s', (field, bad) => {
  expect(() => open(bad as SessionsCalendar)).toThrow(`calendar c: ${field}`)
})
test.each([
  ['dates[0].date', [{ date: '2026-02-30' }]],
  ['dates[0].close', [{ date: '2026-02-28', close: '25:00' }]],
  ['dates[1].date', [{ date: '2026-02-28' }, { date: '2026-02-28' }]],
])('holidays that are not sound are refused and the field named: %s', (field, dates) => {
  expect(() => open(FX, days(dates))).toThrow(`calendar h: ${field}`)
})
