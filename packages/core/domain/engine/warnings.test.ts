import { expect, test } from 'bun:test'
import { maxDailyLoss, maxLoss } from '../../testing/rules.ts'
import { spec, World } from '../../testing/world.ts'
import type { Rule } from './types.ts'

const at = (time: string): string => `2024-03-${time}Z`
const daily = maxDailyLoss({ amount: '4000' })
const trail = maxLoss({ amount: '4000' }, { mode: 'intraday_equity' })
function world(rules: Rule[]): World {
  const w = new World(spec(rules, { warnings: ['0.5', '0.8', '0.95'] }))
  w.start(at('04T08:00:00')).quote(at('04T08:00:01'), '100.00', '100.00')
  w.buy('1000')
  return w
}
const price = (w: World, time: string, p: string): World => w.quote(at(time), p, p)
const said = (w: World) => w.of('warning').map((r) => [r.rule, r.fraction, r.value])

test('a warning is written at its fraction, not a minor unit before it, and once', () => {
  const w = world([daily])
  price(w, '04T09:00:00', '98.01')
  expect(said(w)).toEqual([])
  price(w, '04T09:01:00', '98.00')
  price(w, '04T09:02:00', '99.00')
  price(w, '04T09:03:00', '98.00')
  expect(said(w)).toEqual([['max_daily_loss', '0.5', '98000']])
})
test('a fall past several fractions writes each, before the breach that ends it', () => {
  const w = world([daily])
  price(w, '04T09:00:00', '95.00')
  expect(said(w).map(([, fraction]) => fraction)).toEqual(['0.5', '0.8', '0.95'])
  expect(w.records.findIndex((r) => r.kind === 'violation')).toBeGreaterThan(
    w.records.findLastIndex((r) => r.kind === 'warning'),
  )
})
test('a reset arms them again', () => {
  const w = world([daily])
  price(w, '04T09:00:00', '98.00')
  w.clock(at('04T23:00:00'))
  // the anchor is the balance: half of the new allowance is used by the open loss at once
  expect(said(w)).toHaveLength(2)
})
test('on a trailing floor the allowance starts at the high-water mark', () => {
  const w = world([trail])
  price(w, '04T09:00:00', '103.00')
  price(w, '04T09:01:00', '101.01')
  expect(said(w)).toEqual([])
  price(w, '04T09:02:00', '101.00')
  expect(said(w)).toEqual([['max_loss', '0.5', '101000']])
})
