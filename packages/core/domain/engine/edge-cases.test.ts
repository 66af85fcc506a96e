/** Edge cases that rules.md names and that a recording of quotes cannot show. */
import { describe, expect, test } from 'bun:test'
import { maxLoss, profitTarget } from '../../testing/rules.ts'
import { instrument, spec, World } from '../../testing/world.ts'
import { str } from '../money/dec.ts'
import { liveView } from './live.ts'
import type { AccountSpec, Rule } from './types.ts'

const at = (time: string): string => `2024-03-${time}Z`
const overall = (amount: string, more: Partial<Extract<Rule, { rule: 'max_loss' }>> = {}): Rule =>
  maxLoss({ amount }, more)
const target = (amount: string): Rule => profitTarget({ amount })
const both = { instruments: [instrument('TST/USD'), instrument('OTH/USD')] }
function world(rules: Rule[], more: Partial<AccountSpec> = {}): World {
  const w = new World(spec(rules, more))
  return w.start(at('04T08:00:00')).quote(at('04T08:00:01'), '100.00', '100.00')
}

describe('settlement of a prediction market', () => {
  const outcome = instrument('TST/USD', { kind: 'outcome', price_tick: '0.01', max_quantity: '1000000' })
  const held = (rules: Rule[]): World => {
    const w = new World(spec(rules, { instruments: [outcome] }))
    w.start(at('04T08:00:00')).quote(at('04T08:00:01'), '0.50', '0.50')
    w.buy('10000')
    return w
  }
  const settle = (w: World, price: string): World =>
    w.tick(at('04T09:00:00'), { kind: 'symbol_state', symbol: 'TST/USD', state: 'settled', price } as never)
  test('to 0 breaches at that point, with nothing left to close', () => {
    const w = settle(held([overall('4999')]), '0')
    expect(w.of('verdict')).toMatchObject([{ verdict: 'failed', rule: 'max_loss', value: '95000' }])
    expect(w.of('fill').map((f) => [f.order.slice(0, 1), f.price])).toEqual([
      ['o', '0.5'],
      ['s', '0'],
    ])
  })
  test('to 1 passes at that point', () => {
    const w = settle(held([overall('4999'), target('5000')]), '1')
    expect([w.state.status, str(w.state.book.balance)]).toEqual(['passed', '105000'])
  })
})

describe('no valid mark', () => {
  test('a feed gap neither fails nor clears, and orders that add risk are refused', () => {
    const w = world([overall('5000')])
    w.buy('1000')
    w.tick(at('04T08:30:00'), { kind: 'gap', symbols: null, reason: 'lost' } as never)
    expect(w.state.status).toBe('started')
    expect(w.buy('1')).toMatchObject({ ok: false, code: 'market_stale', retryable: true })
    w.quote(at('04T08:40:00'), '94.00', '94.00')
    expect(w.of('verdict')).toMatchObject([{ verdict: 'failed', value: '94000' }])
  })
  test('a symbol with no quote since a restart: what another one breaches waits for it', () => {
    const w = world([overall('5000')], both)
    w.quote(at('04T08:00:02'), '50.00', '50.00', { symbol: 'OTH/USD' })
    w.buy('1000')
    w.buy('100', { symbol: 'OTH/USD' })
    w.tick(at('04T09:00:00'), { kind: 'gap', symbols: null, reason: 'restart' } as never)
    w.quote(at('04T09:00:01'), '94.99', '94.99')
    expect(w.of('violation')).toMatchObject([{ provisional: true }])
    expect(liveView(w.state, w.compiled, w.replay.view).unknown_symbols).toEqual(['OTH/USD'])
    w.quote(at('04T09:10:00'), '50.20', '50.20', { symbol: 'OTH/USD' })
    expect([w.state.status, w.of('withdrawn').length]).toEqual(['started', 1])
  })
  test('a price that stands still, or a closed market, is a mark like any other', () => {
    const w = world([overall('5000')], both)
    w.quote(at('04T08:00:02'), '50.00', '50.00', { symbol: 'OTH/USD' })
    w.buy('1000')
    w.buy('100', { symbol: 'OTH/USD' })
    w.status(at('04T12:00:00'), 'closed', 'OTH/USD')
    w.quote(at('05T12:00:00'), '94.99', '94.99')
    expect(w.of('verdict')).toMatchObject([{ verdict: 'failed', value: '94990' }])
    // what is closed waits for its market
    expect(w.state.closing.map((b) => b.positions.map((p) => p.symbol))).toEqual([['OTH/USD']])
    w.status(at('06T08:00:00'), 'open', 'OTH/USD')
    expect(w.state.closing).toEqual([])
  })
})

test('of two floors that one move crosses the higher is named and the other listed', () => {
  const w = world([overall('5000'), overall('4000', { metric: 'min' })])
  w.buy('1000')
  w.quote(at('04T09:00:00'), '94.00', '94.00')
  expect(w.of('violation')).toMatchObject([
    { rule: 'max_loss', index: 1, limit: '96000', crossed: [{ rule: 'max_loss', index: 0, limit: '95000' }] },
  ])
})
test('vector 17, live: a best day of 3,000 under a share of 0.4 asks for 7,500', () => {
  const consistency: Rule = {
    rule: 'consistency',
    basis: 'total',
    share: '0.4',
    compare: 'lt',
    gross: false,
    effect: 'gate',
  }
  const w = world([target('3000'), consistency])
  w.buy('1000')
  w.quote(at('04T09:00:00'), '103.00', '103.00')
  w.sell('1000')
  expect(liveView(w.state, w.compiled, w.replay.view).rules[1]).toMatchObject({
    met: false,
    value: '1',
    limit: '0.4',
    effective_target: '7500.00',
  })
})
test('every rule is served live, before and after trades', () => {
  const gate = { effect: 'gate' } as const
  const rules: Rule[] = [
    target('3000'),
    overall('5000'),
    { rule: 'winning_days', n: 3, amount: '100', ...gate },
    { rule: 'time_limit', days: 30, unit: 'trading', from: 'start', effect: 'hard' },
    { rule: 'inactivity', days: 30, effect: 'hard' },
    { rule: 'max_position_size', per: 'all', notional: '500000', ...gate },
    { rule: 'max_open_positions', n: 3, ...gate },
    { rule: 'max_orders_per_day', n: 9, ...gate },
    { rule: 'max_total_exposure', notional: '500000', ...gate },
    { rule: 'scaling_plan', base: '5000', steps: [], keeps: false, ...gate },
    { rule: 'allowed_symbols', symbols: ['TST/USD'], ...gate },
    { rule: 'allowed_sides', sides: ['buy'], ...gate },
    { rule: 'max_risk_per_trade', pct: '2', needs_stop: false, within_s: 0, ...gate },
    { rule: 'max_risk_per_idea', pct: '4', within_s: 120, compare: 'lt', effect: 'hard' },
    { rule: 'max_open_loss', pct: '30', of: 'day_profit', compare: 'lt', effect: 'hard' },
    { rule: 'min_holding_time', seconds: 60, share: '0.5', compare: 'lt', effect: 'flag' },
    { rule: 'session_flat', minutes: 5, effect: 'flag' },
    { rule: 'detectors', detect: ['grid'], effect: 'flag' },
  ]
  const w = world(rules)
  const served = () =>
    liveView(w.state, w.compiled, w.replay.view).rules.map((r) => [r.rule, r.value, r.limit, r.remaining, r.fraction])
  expect(served().map(([rule]) => rule)).toEqual(rules.map((r) => r.rule))
  w.buy('1000')
  w.quote(at('04T09:00:00'), '98.00', '98.00')
  const after = served()
  expect(after.find(([rule]) => rule === 'max_loss')).toEqual(['max_loss', '98000.00', '95000.00', '3000.00', '0.4'])
  expect(after.find(([rule]) => rule === 'max_risk_per_idea')).toEqual([
    'max_risk_per_idea',
    '2000.00',
    '4000.00',
    '2000.00',
    '0.5',
  ])
  expect(after.find(([rule]) => rule === 'max_total_exposure')).toEqual([
    'max_total_exposure',
    '98000.00',
    '500000.00',
    '402000.00',
    '0.196',
  ])
  // no profit at the day's start: there is nothing to lose a share of, and no limit
  expect(after.find(([rule]) => rule === 'max_open_loss')).toEqual(['max_open_loss', '', '', '', '0'])
})
test('latency: an amendment of an order on its way is counted once', () => {
  const w = world([{ rule: 'max_position_size', per: 'symbol', quantity: '100', effect: 'gate' }], { latency_ms: 1000 })
  const placed = w.order({ price: '90.00', quantity: '60' })
  const order = placed.ok ? placed.order!.id : ''
  expect(w.command({ op: 'amend', order, quantity: '100' })).toMatchObject({ ok: true })
  expect(w.command({ op: 'amend', order, quantity: '101' })).toMatchObject({ ok: false, code: 'rule_refused' })
})
