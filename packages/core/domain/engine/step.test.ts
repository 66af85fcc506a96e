import { expect, test } from 'bun:test'
import { maxDailyLoss, maxLoss } from '../../testing/rules.ts'
import { instrument, spec, World } from '../../testing/world.ts'
import { str } from '../money/dec.ts'
import type { Rule } from './types.ts'
import { equity } from './valuation.ts'

const daily = (more: Parameters<typeof maxDailyLoss>[1] = {}): Rule => maxDailyLoss({ pct: '5', of: 'initial' }, more)
const overall = (more: Parameters<typeof maxLoss>[1] = {}): Rule => maxLoss({ pct: '10' }, more)
const target = (more: Partial<Extract<Rule, { rule: 'profit_target' }>> = {}): Rule => ({
  rule: 'profit_target',
  pct: '10',
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
  ...more,
})

test('the currency example of trading.md books -4.27, -13.47, -1.70, +39.79, -3.86 = +16.49', () => {
  const eurjpy = instrument('EUR/JPY', {
    price_tick: '0.001',
    commission: { bps: '4' },
    conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] },
  })
  const w = new World(spec([overall()], { instruments: [eurjpy] }))
  w.start('2024-03-01T09:00:00Z')
  w.quote('2024-03-01T09:00:01Z', '150.00', '150.02', { symbol: 'USD/JPY' })
  w.quote('2024-03-01T09:00:02Z', '160.000', '160.005', { symbol: 'EUR/JPY' })
  w.buy('10000', { symbol: 'EUR/JPY' })
  w.quote('2024-03-01T09:01:00Z', '159.500', '159.505', { symbol: 'EUR/JPY' })
  w.sell('4000', { symbol: 'EUR/JPY' })
  w.quote('2024-03-01T09:02:00Z', '161.000', '161.005', { symbol: 'EUR/JPY' })
  w.sell('9000', { symbol: 'EUR/JPY' })
  const booked = w.of('fill').flatMap((f) => [f.result?.booked, f.fee?.booked].filter((x) => x !== undefined))
  expect(booked).toEqual(['-4.27', '-13.47', '-1.7', '39.79', '-3.86'])
  expect(str(w.state.book.balance)).toBe('100016.49')
  expect(w.of('fill').map((f) => f.position.quantity)).toEqual(['10000', '6000', '-3000'])
})

test('vector 1: a reset alone breaches when the floor jumps over the equity', () => {
  const w = new World(spec([daily()], { initial_balance: '200000' }))
  w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '100.00', '100.00')
  w.buy('1000')
  w.quote('2024-03-04T09:00:00Z', '104.00', '104.00')
  w.sell('1000')
  w.buy('1000')
  w.quote('2024-03-04T22:59:00Z', '91.00', '91.00')
  expect(w.state.status).toBe('started')
  expect(str(equity(w.state, w.compiled, w.replay.view))).toBe('191000')
  w.clock('2024-03-04T23:00:00Z')
  expect(w.of('violation')[0]).toMatchObject({
    rule: 'max_daily_loss',
    value: '191000',
    limit: '194000',
    mts: Date.parse('2024-03-04T23:00:00Z'),
  })
  expect(w.state.status).toBe('failed')
  expect(w.state.book.positions).toEqual([])
})

test('vector 22: one print through both floors names the daily rule and lists the other, once', () => {
  const rules = [daily({ limit: { amount: '3000' } }), overall({ limit: { amount: '6000' } })]
  const w = new World(spec(rules))
  w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '100.00', '100.00')
  w.buy('1000')
  w.quote('2024-03-04T09:00:00Z', '93.00', '93.00')
  const [violation, ...more] = w.of('violation')
  expect(more).toEqual([])
  expect(violation).toMatchObject({ rule: 'max_daily_loss', limit: '97000', value: '93000' })
  expect(violation!.crossed.map((c) => [c.rule, c.limit])).toEqual([['max_loss', '94000']])
})

test('a target that is reached passes when flat and the next phase opens at the same point', () => {
  const rules = [target()]
  const w = new World(
    spec(rules, {
      phases: [
        { kind: 'evaluation', rules },
        { kind: 'evaluation', rules: [target({ pct: '5' })] },
      ],
    }),
  )
  w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '100.00', '100.00')
  w.buy('1000')
  w.quote('2024-03-04T09:00:00Z', '110.00', '110.00')
  expect(w.state.phase).toBe(0)
  w.sell('1000')
  expect(w.state.phase).toBe(1)
  expect(str(w.state.book.balance)).toBe('100000')
  w.buy('1000')
  w.quote('2024-03-04T10:00:00Z', '115.00', '115.00')
  w.sell('1000')
  expect(w.state.status).toBe('passed')
  expect(w.of('verdict')).toHaveLength(1)
})

test('depth at one level is taken once until an event changes its size', () => {
  const w = new World(spec([overall()]))
  w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '99.00', '100.00', { ask_size: '10' })
  expect(w.buy('6')).toMatchObject({ order: { filled: '6' } })
  w.quote('2024-03-04T08:00:02Z', '99.00', '100.00', { ask_size: '10' })
  expect(w.buy('6')).toMatchObject({ order: { filled: '4', status: 'cancelled', reason: 'no_liquidity' } })
  w.quote('2024-03-04T08:00:03Z', '99.00', '100.00', { ask_size: '12' })
  expect(w.buy('6')).toMatchObject({ order: { filled: '6', status: 'filled' } })
})

test('slippage is for what lies beyond the depth that shows: a limit stops at a level that is worse', () => {
  const w = new World(spec([overall()], { instruments: [instrument('TST/USD', { slippage_bps: '10' })] }))
  w.start('2024-03-04T08:00:00Z')
    .quote('2024-03-04T08:00:01Z', '99.00', '100.00', { ask_size: '10' })
    .levels(
      '2024-03-04T08:00:01Z',
      [['99.00', '10']],
      [
        ['100.00', '10'],
        ['103.00', '10'],
      ],
    )
  expect(w.buy('30', { type: 'limit', price: '101.00', time_in_force: 'ioc' })).toMatchObject({
    order: { filled: '10' },
  })
  expect(w.buy('30', { type: 'limit', price: '104.00', time_in_force: 'ioc' })).toMatchObject({
    order: { filled: '30' },
  })
  expect(w.of('fill').map((f) => [f.price, f.quantity, f.source.kind])).toEqual([
    ['100', '10', 'quote'],
    ['103', '10', 'levels'],
    ['103.21', '20', 'slippage'],
  ])
})

test('a slipped price that is exactly on the tick stays there', () => {
  const w = new World(spec([overall()], { instruments: [instrument('TST/USD', { slippage_bps: '10' })] }))
  w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '99.00', '105.00', { ask_size: '7' })
  w.buy('9')
  expect(w.of('fill').map((f) => [f.price, f.quantity])).toEqual([
    ['105', '7'],
    ['105.03', '2'],
  ])
})

test('a resting limit fills at its own price as maker when the book reaches it or a trade prints beyond it', () => {
  const w = new World(spec([overall()]))
  w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '99.00', '100.00')
  w.buy('10', { type: 'limit', price: '99.50' })
  w.trade('2024-03-04T08:00:02Z', '99.50', '5', 'sell')
  expect(w.of('fill')).toEqual([])
  w.trade('2024-03-04T08:00:03Z', '99.40', '3', 'sell')
  w.quote('2024-03-04T08:00:04Z', '99.00', '99.45', { ask_size: '20' })
  expect(w.of('fill').map((f) => [f.price, f.quantity, f.liquidity, f.source.kind])).toEqual([
    ['99.5', '3', 'maker', 'trade'],
    ['99.5', '7', 'maker', 'quote'],
  ])
})

test('an order that the free margin does not carry is refused and changes nothing', () => {
  const w = new World(spec([overall()], { leverage: '1', instruments: [instrument('TST/USD', { margin_rate: '0' })] }))
  w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '99.99', '100.00')
  const before = w.state.book
  expect(w.buy('1001')).toMatchObject({ ok: false, code: 'insufficient_margin' })
  expect(w.state.book).toEqual(before)
  expect(w.buy('990').ok).toBe(true)
  expect(w.buy('10', { type: 'limit', price: '99.00' })).toMatchObject({ ok: true })
  expect(w.buy('10', { type: 'limit', price: '99.00' })).toMatchObject({ ok: false, code: 'insufficient_margin' })
})

test('a breach while a symbol is unknown is provisional: withdrawn when its mark says otherwise, dated then when it holds', () => {
  const other = instrument('OTH/USD')
  const build = () => {
    const w = new World(spec([overall({ limit: { amount: '5000' } })], { instruments: [instrument('TST/USD'), other] }))
    w.start('2024-03-04T08:00:00Z')
      .quote('2024-03-04T08:00:01Z', '100.00', '100.00')
      .quote('2024-03-04T08:00:01Z', '100.00', '100.00', { symbol: 'OTH/USD' })
    w.buy('500')
    w.buy('500', { symbol: 'OTH/USD' })
    w.status('2024-03-04T08:10:00Z', 'unknown', 'OTH/USD')
    w.quote('2024-03-04T08:11:00Z', '89.00', '89.00')
    expect(w.of('violation')[0]).toMatchObject({ provisional: true })
    expect(w.state.status).toBe('started')
    expect(w.buy('1')).toMatchObject({ ok: false, code: 'account_locked' })
    return w
  }
  const spared = build()
  spared.quote('2024-03-04T08:12:00Z', '105.00', '105.00', { symbol: 'OTH/USD' })
  expect(spared.of('withdrawn')).toHaveLength(1)
  expect(spared.state.status).toBe('started')
  const failed = build()
  failed.quote('2024-03-04T08:12:00Z', '99.00', '99.00', { symbol: 'OTH/USD' })
  expect(failed.of('violation')[1]).toMatchObject({
    provisional: false,
    value: '94000',
    dated: { mts: Date.parse('2024-03-04T08:11:00Z') },
  })
  expect(failed.state.status).toBe('failed')
})

test('a provisional breach waits for a mark: a status alone decides nothing', () => {
  const w = new World(
    spec([overall({ limit: { amount: '5000' } })], { instruments: [instrument('TST/USD'), instrument('OTH/USD')] }),
  )
  w.start('2024-03-04T08:00:00Z')
    .quote('2024-03-04T08:00:01Z', '100.00', '100.00')
    .quote('2024-03-04T08:00:01Z', '100.00', '100.00', { symbol: 'OTH/USD' })
  w.buy('500')
  w.buy('500', { symbol: 'OTH/USD' })
  w.status('2024-03-04T08:10:00Z', 'unknown', 'OTH/USD').quote('2024-03-04T08:11:00Z', '89.00', '89.00')
  w.status('2024-03-04T08:12:00Z', 'closed', 'OTH/USD').status('2024-03-04T08:13:00Z', 'open', 'OTH/USD')
  expect([w.of('violation').length, w.state.status]).toEqual([1, 'started'])
  w.quote('2024-03-04T08:14:00Z', '105.00', '105.00', { symbol: 'OTH/USD' })
  expect([w.of('withdrawn').length, w.state.status]).toEqual([1, 'started'])
})

test('a provisional breach is decided by the rules of its own point: a limit tested at the reset is none of them before it', () => {
  const rules = [daily({ limit: { amount: '1000' }, tested: 'reset' }), overall({ limit: { amount: '5000' } })]
  const w = new World(spec(rules, { instruments: [instrument('TST/USD'), instrument('OTH/USD')] }))
  w.start('2024-03-04T08:00:00Z')
    .quote('2024-03-04T08:00:01Z', '100.00', '100.00')
    .quote('2024-03-04T08:00:01Z', '100.00', '100.00', { symbol: 'OTH/USD' })
  w.buy('500')
  w.buy('500', { symbol: 'OTH/USD' })
  w.status('2024-03-04T08:10:00Z', 'unknown', 'OTH/USD').quote('2024-03-04T08:11:00Z', '89.00', '89.00')
  w.quote('2024-03-04T08:12:00Z', '105.00', '105.00', { symbol: 'OTH/USD' })
  expect(w.of('withdrawn')).toMatchObject([{ rule: 'max_loss', value: '97000', limit: '95000' }])
  expect(w.state.status).toBe('started')
})

test('a high of the day that is made while a breach is in doubt counts when it is withdrawn', () => {
  const rules = [overall({ limit: { amount: '5000' } }), daily({ anchor: 'day_high', limit: { amount: '20000' } })]
  const w = new World(spec(rules, { instruments: [instrument('TST/USD'), instrument('OTH/USD')] }))
  w.start('2024-03-04T08:00:00Z')
    .quote('2024-03-04T08:00:01Z', '100.00', '100.00')
    .quote('2024-03-04T08:00:01Z', '100.00', '100.00', { symbol: 'OTH/USD' })
  w.buy('500')
  w.buy('500', { symbol: 'OTH/USD' })
  w.status('2024-03-04T08:10:00Z', 'unknown', 'OTH/USD').quote('2024-03-04T08:11:00Z', '89.00', '89.00')
  w.quote('2024-03-04T08:12:00Z', '120.00', '120.00').quote('2024-03-04T08:13:00Z', '100.00', '100.00')
  w.quote('2024-03-04T08:14:00Z', '105.00', '105.00', { symbol: 'OTH/USD' })
  expect(w.of('withdrawn')).toHaveLength(1)
  expect(str(w.state.rules[1]!.floor!)).toBe('90000')
})
