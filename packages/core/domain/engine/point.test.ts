/** Evaluation points that no price makes: bookings, the clock, margin. */
import { expect, test } from 'bun:test'
import { maxDailyLoss, maxLoss, profitTarget } from '../../testing/rules.ts'
import { instrument, spec, World } from '../../testing/world.ts'
import type { Instrument, SwapSchedule } from '../instruments/instrument.ts'
import { str } from '../money/dec.ts'
import type { AccountSpec, MaxLossRule, Rule } from './types.ts'

const NIGHT: SwapSchedule = { zone: 'UTC', time: '22:00', unit: 'points', long: '-1', short: '-1', triple: null }
const floorAt = (amount: string, more: Partial<MaxLossRule> = {}): Rule => maxLoss({ amount }, more)
const target = (amount: string): Rule => profitTarget({ amount })
const daily = (amount: string): Rule => maxDailyLoss({ amount })
const world = (rules: Rule[], more: Partial<Instrument> = {}, account: Partial<AccountSpec> = {}) =>
  new World(spec(rules, { instruments: [instrument('TST/USD', more)], ...account })).start('2026-01-05T08:00:00Z')
const one = (w: World) => w.of('violation').map((v) => [v.rule, v.value, v.limit, new Date(v.mts).toISOString()])

test('breach by swap alone: the price never moved, the floor is crossed at the instant of the booking', () => {
  const w = world([floorAt('250')], { swap: NIGHT })
  w.quote('2026-01-05T08:00:00Z', '100', '100')
  w.buy('100')
  w.clock('2026-01-07T21:59:59.999Z')
  expect(w.of('violation')).toEqual([])
  expect(str(w.state.book.balance)).toBe('99800')
  w.clock('2026-01-07T22:00:01Z')
  expect(one(w)).toEqual([['max_loss', '99700', '99750', '2026-01-07T22:00:00.000Z']])
  expect(w.of('carry').length).toBe(3)
  expect(w.state.status).toBe('failed')
})
test('breach by funding alone, told by the market: at that event', () => {
  const w = world([floorAt('99')], { kind: 'perp' })
  w.quote('2026-01-05T08:00:00Z', '100', '100')
  w.buy('100')
  w.tick('2026-01-05T09:00:00Z', { kind: 'rate', symbol: 'TST/USD', what: 'funding', rate: '0.01' })
  expect(one(w)).toEqual([['max_loss', '99900', '99901', '2026-01-05T09:00:00.000Z']])
})
test('breach by a fee alone', () => {
  const w = world([floorAt('9')], { commission: { per_lot: '0.1' } })
  w.quote('2026-01-05T08:00:00Z', '100', '100')
  w.buy('100')
  expect(one(w)).toEqual([['max_loss', '99990', '99991', '2026-01-05T08:00:00.000Z']])
})
test('breach by the spread alone: bid and ask part, their middle stands still', () => {
  const w = world([floorAt('150')])
  w.quote('2026-01-05T08:00:00Z', '99.50', '100.50')
  w.buy('100')
  expect(w.of('violation')).toEqual([])
  w.quote('2026-01-05T08:00:01Z', '99', '101')
  expect(w.of('violation')).toEqual([])
  w.quote('2026-01-05T08:00:02Z', '98.99', '101.01')
  expect(one(w)).toEqual([['max_loss', '99849', '99850', '2026-01-05T08:00:02.000Z']])
})
test("breach by the account's own mark-up alone: what it buys at the ask it holds at the bid", () => {
  const w = world([floorAt('99')], { spread_markup_ticks: '50' })
  w.quote('2026-01-05T08:00:00Z', '100', '100')
  w.buy('100')
  expect(w.of('fill')[0]).toMatchObject({ price: '100.5', source: { price: '100' } })
  expect(one(w)).toEqual([['max_loss', '99900', '99901', '2026-01-05T08:00:00.000Z']])
})
test('a roll during an open position: it is booked before the snapshot of its instant and belongs to the day that ends', () => {
  const w = world([daily('5000'), floorAt('10000')], { swap: { ...NIGHT, zone: 'Europe/Prague', time: '00:00' } })
  w.quote('2026-01-05T08:00:00Z', '100', '100')
  w.buy('100')
  w.clock('2026-01-05T23:00:01Z')
  expect(w.of('carry').map((r) => [r.booked.booked, new Date(r.mts).toISOString()])).toEqual([
    ['-100', '2026-01-05T23:00:00.000Z'],
  ])
  const [carried, day] = w.records.filter((r) => r.kind === 'carry' || r.kind === 'day')
  expect([carried!.kind, day]).toMatchObject(['carry', { kind: 'day', balance: '99900', equity: '99900' }])
  expect(w.of('floor').at(-1)).toMatchObject({ rule: 'max_daily_loss', floor: '94900' })
})
test('swap at a clock change: the night has its own instant, the day of the change 23 hours', () => {
  const w = new World(
    spec([floorAt('10000')], {
      instruments: [instrument('TST/USD', { swap: { ...NIGHT, zone: 'Europe/Prague', time: '23:00' } })],
    }),
  ).start('2026-03-28T08:00:00Z')
  w.quote('2026-03-28T08:00:00Z', '100', '100')
  w.buy('1')
  w.clock('2026-03-30T23:00:00Z')
  expect(w.of('carry').map((r) => new Date(r.mts).toISOString())).toEqual([
    '2026-03-28T22:00:00.000Z',
    '2026-03-29T21:00:00.000Z',
    '2026-03-30T21:00:00.000Z',
  ])
})
test('each instant is its own point: swap at 22:00 fails before the reset at 23:00 is reached', () => {
  const w = world([daily('99')], { swap: NIGHT })
  w.quote('2026-01-05T08:00:00Z', '100', '100')
  w.buy('100')
  w.clock('2026-01-06T12:00:00Z')
  expect(one(w)).toEqual([['max_daily_loss', '99900', '99901', '2026-01-05T22:00:00.000Z']])
  expect(w.of('day')).toEqual([])
})
test('a position opened at the instant of a roll does not pay it', () => {
  const w = world([floorAt('10000')], { swap: NIGHT })
  w.quote('2026-01-05T22:00:00Z', '100', '100')
  w.buy('100')
  w.clock('2026-01-06T12:00:00Z')
  expect(w.of('carry')).toEqual([])
})
test('settlement of a prediction market to 1 reaches the target at that point, to 0 the floor', () => {
  const settle = (price: string) => {
    const w = world([target('50'), floorAt('40')], { kind: 'outcome' })
    w.quote('2026-01-05T08:00:00Z', '0.40', '0.40')
    w.buy('101')
    w.tick('2026-01-05T09:00:00Z', { kind: 'symbol_state', symbol: 'TST/USD', state: 'settled', price })
    return [w.state.status, w.of('fill').at(-1)!.order, ...one(w).map(([rule, value]) => `${rule} ${value}`)]
  }
  expect(settle('1')).toEqual(['passed', 'settlement'])
  expect(settle('0')).toEqual(['failed', 'settlement', 'max_loss 99959.6'])
})
test('rules go before the stop-out: what fails the phase is no margin call', () => {
  const w = world([floorAt('98000')], {}, { leverage: '100', stop_out: '0.5' })
  w.quote('2026-01-05T08:00:00Z', '100', '100')
  w.buy('50000')
  w.quote('2026-01-05T08:00:01Z', '98.05', '98.05')
  expect([w.of('stop_out').length, w.of('violation').length]).toEqual([1, 0])
  const v = world([floorAt('90000')], {}, { leverage: '100', stop_out: '0.5' })
  v.quote('2026-01-05T08:00:00Z', '100', '100')
  v.buy('50000')
  v.quote('2026-01-05T08:00:01Z', '98.05', '98.05')
  expect([v.of('stop_out').length, v.of('violation').length]).toEqual([0, 1])
})
test("the stop-out's own fees are held against the rules at the same point", () => {
  const w = world([floorAt('98000')], { commission: { taker_bps: '0.9' } }, { leverage: '100', stop_out: '0.5' })
  w.quote('2026-01-05T08:00:00Z', '100', '100')
  w.buy('50000')
  w.quote('2026-01-05T08:00:01Z', '98.05', '98.05')
  const kinds = w.records.map((r) => r.kind)
  expect(kinds.slice(kinds.indexOf('stop_out'))).toEqual(['stop_out', 'fill', 'violation', 'verdict', 'phase'])
  expect(one(w)).toEqual([['max_loss', '1608.78', '2000', '2026-01-05T08:00:01.000Z']])
})
