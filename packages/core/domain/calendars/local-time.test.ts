import { expect, test } from 'bun:test'
import { DAY, dateOf, minutesOf, momentOf, weekDayOf, weekOf, weekStart } from './local-time.ts'

const at = (text: string) => Date.parse(text)

test('a week day is that of the date: 1 is Monday', () => {
  for (let day = 0; day < 7; day++) expect(weekDayOf(at('2026-01-05T23:59:59Z') + day * DAY)).toBe(day + 1)
  expect(weekDayOf(at('1970-01-01T00:00:00Z'))).toBe(4)
  expect(weekDayOf(at('1969-12-28T12:00:00Z'))).toBe(7)
})
test('a week starts with its Monday and ends with its Sunday', () => {
  const week = weekOf(at('2026-01-05T00:00:00Z'))
  expect(weekStart(week)).toBe(at('2026-01-05T00:00:00Z'))
  expect(weekOf(at('2026-01-11T23:59:59.999Z'))).toBe(week)
  expect(weekOf(at('2026-01-04T23:59:59.999Z'))).toBe(week - 1)
})
test('times, dates and instants that are none are null', () => {
  expect(['00:00', '23:59', '24:00', '9:00', '09:60'].map(minutesOf)).toEqual([0, 1439, null, null, null])
  expect(['2024-02-29', '2026-02-29', '2026-2-1'].map(dateOf)).toEqual([at('2024-02-29T00:00:00Z'), null, null])
  expect(['2026-01-05T12:00Z', '2026-01-05T12:00', '2026-13-05T12:00Z', '2026-01-05'].map(momentOf)).toEqual([
    at('2026-01-05T12:00:00Z'),
    null,
    null,
    null,
  ])
})
