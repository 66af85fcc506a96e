import { expect, test } from 'bun:test'
import { instantOf, localDate, nextReset, zoneOf } from './zone.ts'

const prague = zoneOf('Europe/Prague')
const iso = (ms: number) => new Date(ms).toISOString()
const at = (text: string) => Date.parse(text)

test('26 March 2023 in Prague has 23 hours and the next resets come at 22:00 UTC', () => {
  const first = nextReset(prague, 0, at('2023-03-25T12:00:00Z'))
  const second = nextReset(prague, 0, first)
  expect([iso(first), iso(second)]).toEqual(['2023-03-25T23:00:00.000Z', '2023-03-26T22:00:00.000Z'])
  expect(iso(nextReset(prague, 0, second))).toBe('2023-03-27T22:00:00.000Z')
})
test('a local time that does not exist happens at the next valid instant', () => {
  expect(iso(instantOf(prague, at('2023-03-26T02:30:00Z')))).toBe('2023-03-26T01:00:00.000Z')
})
test('a local time that exists twice happens on the first', () => {
  expect(iso(instantOf(prague, at('2023-10-29T02:30:00Z')))).toBe('2023-10-29T00:30:00.000Z')
})
test('the day of the autumn change has 25 hours', () => {
  const first = nextReset(prague, 0, at('2023-10-28T12:00:00Z'))
  expect(nextReset(prague, 0, first) - first).toBe(25 * 3_600_000)
})
test('a reset instant is not its own next reset', () => {
  const ny = zoneOf('America/New_York')
  const r = nextReset(ny, 17 * 60, at('2024-03-09T12:00:00Z'))
  expect(iso(r)).toBe('2024-03-09T22:00:00.000Z')
  expect(iso(nextReset(ny, 17 * 60, r))).toBe('2024-03-10T21:00:00.000Z')
})
test('dates are local', () => {
  expect(localDate(prague, at('2024-01-31T23:30:00Z'))).toBe('2024-02-01')
})
test('the table agrees with the runtime for every zone it knows, twice a year', () => {
  for (const name of [
    'UTC',
    'Europe/London',
    'America/Chicago',
    'Asia/Tokyo',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
  ]) {
    for (let y = 2001; y < 2030; y++) {
      for (const m of [0, 6]) {
        const ms = Date.UTC(y, m, 15, 12)
        const there = new Intl.DateTimeFormat('sv-SE', {
          timeZone: name,
          dateStyle: 'short',
          timeStyle: 'short',
        }).format(ms)
        expect(`${localDate(zoneOf(name), ms)}`).toBe(there.slice(0, 10))
      }
    }
  }
})
