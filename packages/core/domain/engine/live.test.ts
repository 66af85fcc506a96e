import { expect, test } from 'bun:test'
import { maxLoss } from '../../testing/rules.ts'
import { instrument, spec, World } from '../../testing/world.ts'
import { dec } from '../money/dec.ts'
import { liveView, money } from './live.ts'
import type { Rule } from './types.ts'

const floor = (amount: string, more: Partial<Extract<Rule, { rule: 'max_loss' }>> = {}): Rule =>
  maxLoss({ amount }, more)
const rulesOf = (w: World) => liveView(w.state, w.compiled, w.replay.view).rules

test('a limit says the price of each held symbol that reaches it, and a quote there does', () => {
  const w = new World(spec([floor('5000')], { instruments: [instrument('TST/USD'), instrument('OTH/USD')] }))
  w.start('2024-03-04T08:00:00Z')
    .quote('2024-03-04T08:00:01Z', '100.00', '100.00')
    .quote('2024-03-04T08:00:01Z', '50.00', '50.00', { symbol: 'OTH/USD' })
  w.buy('1000')
  w.sell('500', { symbol: 'OTH/USD' })
  expect(rulesOf(w)[0]).toMatchObject({
    remaining: '5000.00',
    prices: [
      { symbol: 'TST/USD', price: '95' },
      { symbol: 'OTH/USD', price: '60' },
    ],
  })
  w.quote('2024-03-04T08:00:02Z', '95.00', '95.00')
  expect([rulesOf(w)[0]!.remaining, w.state.status]).toEqual(['0.00', 'started'])
  w.quote('2024-03-04T08:00:03Z', '94.99', '94.99')
  expect(w.state.status).toBe('failed')
})

test('an outcome lies in [0, 1]: a limit beyond its range has no price', () => {
  const kind = 'outcome' as const
  const target: Rule = {
    rule: 'profit_target',
    amount: '500',
    basis: 'equity',
    require_flat: false,
    sticky: false,
    effect: 'gate',
  }
  const prices = (quantity: string, spread_markup_ticks: string) => {
    const instruments = [instrument('YES/USD', { kind, spread_markup_ticks })]
    const w = new World(spec([target, floor('500')], { instruments }))
    w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '0.60', '0.60', { symbol: 'YES/USD' })
    w.order({ symbol: 'YES/USD', type: 'market', quantity })
    return rulesOf(w).map((r) => r.prices.map(({ price }) => price))
  }
  expect(prices('2000', '0')).toEqual([['0.85'], ['0.35']])
  expect(prices('800', '0')).toEqual([[], []])
  expect(prices('2000', '2')).toEqual([['0.89'], ['0.39']])
})
test('the price that reaches a limit converts with itself: one tick before it the account stands, beyond it it falls', () => {
  const usdjpy = instrument('USD/JPY', {
    price_tick: '0.001',
    conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] },
  })
  for (const side of ['buy', 'sell'] as const) {
    const w = new World(spec([floor('5000')], { instruments: [usdjpy] }))
    w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '150.000', '150.020', { symbol: 'USD/JPY' })
    w.command({ op: 'order', symbol: 'USD/JPY', side, type: 'market', quantity: '100000' })
    const at = Number(rulesOf(w)[0]!.prices[0]!.price)
    const [inside, outside] = side === 'buy' ? [at + 0.001, at - 0.001] : [at - 0.001, at + 0.001]
    const quote = (price: number): void => {
      const bid = side === 'buy' ? price : price - 0.02
      w.quote('2024-03-04T08:00:02Z', bid.toFixed(3), (bid + 0.02).toFixed(3), { symbol: 'USD/JPY' })
    }
    quote(inside)
    expect(w.state.status).toBe('started')
    quote(outside)
    expect(w.state.status).toBe('failed')
  }
})

test('the share of a daily limit that is used counts from its own anchor', () => {
  const daily: Rule = {
    rule: 'max_daily_loss',
    anchor: 'day_high',
    limit: { amount: '4000' },
    metric: 'equity',
    compare: 'lt',
    tested: 'always',
    effect: 'hard',
  }
  const w = new World(spec([daily]))
  w.start('2024-03-04T08:00:00Z').quote('2024-03-04T08:00:01Z', '100.00', '100.00')
  w.buy('1000')
  w.quote('2024-03-04T08:00:02Z', '110.00', '110.00').quote('2024-03-04T08:00:03Z', '109.00', '109.00')
  expect(rulesOf(w)[0]).toMatchObject({ limit: '106000.00', remaining: '3000.00', fraction: '0.25' })
})

test('a symbol that converts and has no valid mark is among the unknown ones', () => {
  const eurjpy = instrument('EUR/JPY', { conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] } })
  const w = new World(spec([floor('5000')], { instruments: [eurjpy] }))
  w.start('2024-03-04T08:00:00Z')
    .quote('2024-03-04T08:00:01Z', '150.00', '150.02', { symbol: 'USD/JPY' })
    .quote('2024-03-04T08:00:02Z', '160.00', '160.01', { symbol: 'EUR/JPY' })
  w.buy('1000', { symbol: 'EUR/JPY' })
  w.status('2024-03-04T08:00:03Z', 'unknown', 'USD/JPY')
  expect(liveView(w.state, w.compiled, w.replay.view).unknown_symbols).toEqual(['USD/JPY'])
})

test('money is served with the places that prices and sizes make; what a conversion or a leverage divided is rounded half-even', () => {
  const served = (value: string, scale: number): string => money(dec(value), scale)
  expect(['5', '94999.995', '-0.00000001'].map((value) => served(value, 2))).toEqual([
    '5.00',
    '94999.995',
    '-0.00000001',
  ])
  expect(served('94911.376666666666666666', 2)).toBe('94911.38')
  expect(
    ['0.125000000000000000', '2.125000000000000001', '-1.335000000000000001'].map((value) => served(value, 2)),
  ).toEqual(['0.125', '2.13', '-1.34'])
  expect(served('150.005333333333333333', 0)).toBe('150')
})
