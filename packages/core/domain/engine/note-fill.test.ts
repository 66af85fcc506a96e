/** What rules count of fills: trades from opening to end, ideas, sizes, the day's gross. */
import { describe, expect, test } from 'bun:test'
import { instrument, spec, World } from '../../testing/world.ts'
import { str } from '../money/dec.ts'
import type { AccountSpec, Rule } from './types.ts'

const at = (time: string): string => `2024-03-04T${time}Z`
const holding: Rule = {
  rule: 'min_holding_time',
  seconds: 60,
  share: '0.5',
  compare: 'lt',
  effect: 'flag',
}
const idea: Rule = { rule: 'max_risk_per_idea', pct: '1', within_s: 120, compare: 'lt', effect: 'hard' }
const trade: Rule = {
  rule: 'consistency',
  basis: 'trade',
  share: '0.5',
  compare: 'lt',
  gross: false,
  effect: 'gate',
}
const lots: Rule = { ...trade, basis: 'lots' } as Rule
const target: Rule = {
  rule: 'profit_target',
  amount: '90000',
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
}
function world(rules: Rule[], more: Partial<AccountSpec> = {}): World {
  const w = new World(
    spec([...rules, target], { instruments: [instrument('TST/USD', { commission: { per_lot: '0.1' } })], ...more }),
  )
  w.start(at('08:00:00'))
  return price(w, '08:00:01', '100.00')
}
const price = (w: World, time: string, p: string): World => w.quote(at(time), p, p)
const running = (w: World) => w.state.trades.running.map((t) => [t.side, str(t.gross), str(t.net)])

describe('trades', () => {
  test('a trade is a position from its opening to its end: parts, fees of both sides and all', () => {
    const w = world([holding, trade])
    w.buy('10')
    price(w, '08:00:30', '101.00')
    w.buy('10')
    w.sell('5')
    // 5 sold at 101 of a cost of 100.5 on average; fees of 25
    expect(running(w)).toEqual([['buy', '2.5', '0']])
    expect(w.state.trades.closed).toBe(0)
    w.sell('15')
    expect([running(w), w.state.trades.closed]).toEqual([[], 1])
    expect(str(w.state.rules[1]!.best!)).toBe('6')
  })
  test('a reversal ends one trade and begins another; its one fee belongs to the one it ends', () => {
    const w = world([holding, trade])
    w.buy('10')
    price(w, '08:00:30', '102.00')
    w.sell('30')
    expect(w.state.trades.closed).toBe(1)
    expect(str(w.state.rules[1]!.best!)).toBe('16')
    expect(running(w)).toEqual([['sell', '0', '0']])
  })
  test('held shorter than the seconds is short, held just as long is not', () => {
    const w = world([holding])
    w.buy('10')
    price(w, '08:01:00.999', '100.00')
    w.sell('10')
    expect(w.state.rules[0]!.short).toBe(1)
    w.buy('10')
    price(w, '08:02:00.999', '100.00')
    w.sell('10')
    expect([w.state.rules[0]!.short, w.state.trades.closed]).toEqual([1, 2])
    expect(w.of('violation')).toMatchObject([{ rule: 'min_holding_time', value: '1', limit: '0.5' }])
  })
  test('hedging: each ticket is a trade of its own', () => {
    const w = world([holding], { position_mode: 'hedging' })
    w.buy('10')
    w.sell('10')
    expect(running(w).map(([side]) => side)).toEqual(['buy', 'sell'])
    const [long] = w.state.book.positions
    w.command({ op: 'close', position: long!.id })
    expect([running(w).map(([side]) => side), w.state.trades.closed]).toEqual([['sell'], 1])
  })
  test('a swap belongs to the trade that it was booked on', () => {
    const swap = { zone: 'UTC', time: '12:00', unit: 'points', long: '-0.5', short: '0', triple: null } as const
    const w = world([trade], { instruments: [instrument('TST/USD', { swap })] })
    w.buy('10')
    w.clock(at('12:00:00'))
    expect(running(w)).toEqual([['buy', '0', '-5']])
  })
})

describe('ideas', () => {
  const losing = (gapS: number): World => {
    const w = world([idea], { instruments: [instrument('TST/USD')] })
    w.buy('600')
    price(w, '08:01:00', '99.00')
    w.sell('600')
    const next = new Date(Date.parse(at('08:01:00')) + gapS * 1000).toISOString()
    w.quote(next, '99.00', '99.00')
    w.buy('600')
    w.quote(new Date(Date.parse(next) + 1000).toISOString(), '98.32', '98.32')
    return w
  }
  test('a trade that follows within the time goes on with the loss of the one before', () => {
    expect(losing(120).of('violation')).toMatchObject([{ rule: 'max_risk_per_idea', value: '1008', limit: '1000' }])
  })
  test('a second later it is a new idea', () => {
    expect(losing(121).state.status).toBe('started')
  })
  test('the price that reaches the limit is served for the symbol of the idea', async () => {
    const { liveView } = await import('./live.ts')
    const w = world([idea], { instruments: [instrument('TST/USD')] })
    w.buy('500')
    const [view] = liveView(w.state, w.compiled, w.replay.view).rules
    expect(view).toMatchObject({ permitted_loss: '1000.00', prices: [{ symbol: 'TST/USD', price: '98' }] })
    price(w, '08:01:00', '98.00')
    expect(w.state.status).toBe('started')
    price(w, '08:02:00', '97.99')
    expect(w.state.status).toBe('failed')
  })
  test('in doubt it waits for its mark, and is decided as of its own instant', () => {
    const w = world([idea], { instruments: [instrument('TST/USD'), instrument('OTH/USD')] })
    w.quote(at('08:00:02'), '10.00', '10.00', { symbol: 'OTH/USD' })
    w.buy('1000', { symbol: 'OTH/USD' })
    w.buy('500')
    w.status(at('08:01:00'), 'unknown', 'OTH/USD')
    price(w, '08:02:00', '97.90')
    expect(w.of('violation')).toMatchObject([{ rule: 'max_risk_per_idea', provisional: true, value: '1050' }])
    price(w, '08:03:00', '99.00')
    w.quote(at('08:04:00'), '11.00', '11.00', { symbol: 'OTH/USD' })
    expect(w.of('verdict')).toMatchObject([
      { rule: 'max_risk_per_idea', value: '1050', dated: { mts: Date.parse(at('08:02:00')) } },
    ])
  })
})

test('an order that is filled in parts is one size, also while another one is filled', () => {
  const w = world([lots])
  w.order({ price: '99.00', quantity: '30' })
  w.order({ price: '99.00', quantity: '30' })
  for (const time of ['08:01:00', '08:02:00', '08:03:00'])
    w.quote(at(time), '98.99', '99.00', { ask_size: '20' }).quote(at(`${time}.5`), '99.50', '99.60')
  const [size] = w.state.trades.lots
  expect([size!.count, size!.open.map((o) => str(o.size))]).toEqual([1, ['30']])
  expect([str(size!.least), str(size!.most)]).toEqual(['30', '30'])
})
test('the day’s gross leaves fees out', () => {
  const w = world([])
  w.buy('10')
  price(w, '08:01:00', '101.00')
  w.sell('10')
  expect([str(w.state.day!.gross), str(w.state.book.balance)]).toEqual(['10', '100008'])
})
