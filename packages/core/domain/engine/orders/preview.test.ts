import { describe, expect, test } from 'bun:test'
import { instrument, spec, World } from '../../../testing/world.ts'
import { encodeState } from '../stored-state.ts'
import type { AccountSpec, OrderBody, Rule } from '../types.ts'
import { previewOrder } from './preview.ts'

const at = (second: number): string => `2024-03-04T08:00:${String(second).padStart(2, '0')}Z`
const floor = (amount: string): Rule => ({
  rule: 'max_loss',
  mode: 'static',
  limit: { amount },
  lock: null,
  metric: 'equity',
  compare: 'lt',
  effect: 'hard',
})
const quoted = (more: Partial<AccountSpec> = {}): World =>
  new World(
    spec([floor('1000')], {
      instruments: [instrument('TST/USD', { commission: { bps: '10' }, slippage_bps: '5' })],
      ...more,
    }),
  )
    .start(at(0))
    .quote(at(1), '99.00', '101.00', { ask_size: '8', bid_size: '8' })
const preview = (w: World, body: Partial<OrderBody>) =>
  previewOrder(
    w.state,
    { symbol: 'TST/USD', side: 'buy', type: 'market', quantity: '10', ...body },
    w.replay.view,
    w.compiled,
  )

test('it says fills with price, fee and slippage, and margin, equity and floors after them', () => {
  const w = quoted()
  const seen = preview(w, {})
  expect(seen).toMatchObject({
    refusal: null,
    order: { status: 'filled', filled: '10' },
    balance: '99998.99',
    used_margin: '9.90',
    reserved_margin: '0.00',
  })
  expect(seen.fills).toEqual([
    { quantity: '8', price: '101', liquidity: 'taker', source: 'quote', fee: '-0.81', result: null, slippage: '8' },
    {
      quantity: '2',
      price: '101.02',
      liquidity: 'taker',
      source: 'slippage',
      fee: '-0.2',
      result: null,
      slippage: '2.04',
    },
  ])
  expect(seen.floors).toEqual([
    {
      rule: 'max_loss',
      index: 0,
      metric: 'equity',
      value: '99978.95',
      floor: '99000.00',
      distance: '978.95',
      stop_beyond: null,
    },
  ])
})

test('it says what the order would breach as soon as it is placed: by its costs, or by what it is', () => {
  const risk: Rule = { rule: 'max_risk_per_trade', pct: '1', needs_stop: false, within_s: 0, effect: 'hard' }
  const w = quoted({ phases: [{ kind: 'evaluation', rules: [floor('15'), risk] }] })
  expect(preview(w, { quantity: '1' }).breaches).toEqual([])
  const over = { rule: 'max_loss', index: 0, effect: 'hard', metric: 'equity', value: '99983.19', limit: '99985' }
  const risked = {
    rule: 'max_risk_per_trade',
    index: 1,
    effect: 'hard',
    metric: 'trade_risk',
    value: '1010',
    limit: '1000',
  }
  const bracket = { quantity: '8', stop_loss: { stop_price: '1.00' } }
  expect(preview(w, bracket)).toMatchObject({ refusal: null, breaches: [over] })
  const far = { type: 'limit' as const, price: '91.00', quantity: '20', stop_loss: { stop_price: '40.50' } }
  expect(preview(w, far).breaches).toEqual([risked])
  expect(w.order(far)).toMatchObject({ ok: true })
  expect(w.of('violation')).toMatchObject([{ rule: 'max_risk_per_trade', value: '1010', limit: '1000' }])
})
test('it is pure: state and view are as they were', () => {
  const w = quoted()
  const before = JSON.stringify(encodeState(w.state))
  preview(w, { take_profit: { price: '110.00' } })
  expect(JSON.stringify(encodeState(w.state))).toBe(before)
})

describe('what it says is what placing then does', () => {
  const bodies: Partial<OrderBody>[] = [
    {},
    { type: 'limit', price: '101.00', quantity: '20' },
    { type: 'limit', price: '90.00' },
    { type: 'stop', stop_price: '101.00' },
    { type: 'stop', stop_price: '120.00' },
    { type: 'oco', price: '90.00', stop_price: '120.00' },
    { take_profit: { price: '110.00' }, stop_loss: { stop_price: '90.00' } },
    { side: 'sell', quantity: '5', reduce_only: true },
    { quantity: '900000' },
    { quantity: '1.5' },
    { type: 'limit', price: '101.00', post_only: true },
    { symbol: 'NIX/USD' },
  ]
  for (const body of bodies) {
    test(JSON.stringify(body), () => {
      const w = quoted()
      const seen = preview(w, body)
      const answer = w.order({ type: 'market', ...body })
      expect(seen.refusal === null).toBe(answer.ok)
      if (!answer.ok) expect(seen.refusal).toMatchObject({ code: answer.code, detail: answer.detail })
      else {
        expect([seen.order, seen.legs]).toEqual([answer.order!, answer.legs ?? []])
        expect(seen.fills.map((f) => [f.price, f.quantity])).toEqual(w.of('fill').map((f) => [f.price, f.quantity]))
        const after = preview(w, { symbol: 'NIX/USD' })
        for (const name of ['balance', 'equity', 'used_margin', 'reserved_margin', 'free_margin'] as const)
          expect([name, seen[name]]).toEqual([name, after[name]])
      }
    })
  }
})

test('it says when the stop of an order lies beyond a floor, filled whole at its own price', () => {
  const w = quoted()
  const risk = (stop: string, quantity: string) =>
    preview(w, { type: 'limit', price: '100.00', quantity, stop_loss: { stop_price: stop } }).floors[0]!.stop_beyond
  expect(risk('90.00', '50')).toBe(false)
  // 99 at 10 less and fees on both ways: 990 + 9.90 + 8.91 is beyond 1,000
  expect(risk('90.00', '99')).toBe(true)
})

test('an order on its way is previewed as if it arrived now', () => {
  const w = quoted({ latency_ms: 500 })
  expect(preview(w, {})).toMatchObject({ order: { status: 'filled' } })
})

test('an account that has not started is told so', () => {
  const w = new World(spec([floor('1000')]))
  w.clock(at(0))
  w.command({ op: 'create' })
  expect(preview(w, {})).toMatchObject({ refusal: { code: 'assessment_not_started' }, floors: [] })
})
