import { expect, test } from 'bun:test'
import { instantsOf, POINTS_MAX } from './resolution.ts'

const at = (text: string) => Date.parse(text)

test('instants are the full steps after from, up to and with to', () => {
  const { instants } = instantsOf(at('2024-03-01T09:59:30Z'), at('2024-03-01T10:02:00Z'), '1m')
  expect(instants.map((ms) => new Date(ms).toISOString().slice(11, 16))).toEqual(['10:00', '10:01', '10:02'])
})
test('without a resolution the finest one is taken that gives at most 1,000 points', () => {
  const from = at('2024-03-01T00:00:00Z')
  expect(instantsOf(from, from + 999 * 60_000).resolution).toBe('1m')
  expect(instantsOf(from, from + 1001 * 60_000).resolution).toBe('5m')
})
test('too many points are refused by the field’s name', () => {
  const from = at('2024-03-01T00:00:00Z')
  expect(() => instantsOf(from, from + (POINTS_MAX + 1) * 60_000, '1m')).toThrow('1001 points of 1m')
})
test('a time span that is empty or runs backwards has no instants', () => {
  const from = at('2024-03-01T00:00:00Z')
  expect(instantsOf(from, from, '1m').instants).toEqual([])
  expect(instantsOf(from, from - 600_000, '1m').instants).toEqual([])
})
