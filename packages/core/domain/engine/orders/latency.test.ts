import { expect, test } from 'bun:test'
import { spec, World } from '../../../testing/world.ts'
import type { AccountSpec } from '../types.ts'

const START = Date.parse('2024-03-04T08:00:00Z')
const at = (ms: number): string => new Date(START + ms).toISOString()
const slow = (more: Partial<AccountSpec> = {}): World =>
  new World(spec([], { latency_ms: 250, ...more })).start(at(0)).quote(at(1000), '99.00', '101.00')

test('an accepted order is pending and arrives after its latency, at its own instant, with the marks then standing', () => {
  const w = slow()
  expect(w.buy('10')).toMatchObject({ ok: true, order: { status: 'pending', filled: '0' } })
  w.quote(at(1100), '103.00', '104.00')
  expect(w.fills).toEqual([])
  w.quote(at(1300), '90.00', '91.00')
  expect(w.fills).toEqual(['#1 buy 10 @ 104 taker'])
  expect(w.of('fill')[0]!.mts).toBe(START + 1250)
  expect(w.of('order').map((r) => [r.status, r.view?.status])).toEqual([
    ['working', 'working'],
    ['filled', undefined],
  ])
})

test('an event at the instant of arrival comes after it', () => {
  const w = slow()
  w.buy('10')
  w.quote(at(1250), '90.00', '91.00')
  expect(w.fills).toEqual(['#1 buy 10 @ 101 taker'])
})

test('orders arrive in the order of their acceptance', () => {
  const w = slow()
  w.order({ price: '98.00' })
  w.order({ price: '98.00' })
  w.clock(at(1250)).quote(at(1300), '97.00', '98.00', { ask_size: '12' })
  expect(w.fills).toEqual(['#1 buy 10 @ 98 maker', '#2 buy 2 @ 98 maker'])
})

test('while pending it fills from no event, reserves margin and can be cancelled at once', () => {
  const w = slow({ leverage: '1' })
  expect(w.order({ price: '98.00', quantity: '600' })).toMatchObject({ order: { status: 'pending' } })
  w.quote(at(1100), '90.00', '91.00')
  expect(w.fills).toEqual([])
  expect(w.order({ price: '98.00', quantity: '600' })).toMatchObject({ code: 'insufficient_margin' })
  expect(w.command({ op: 'cancel_all' })).toMatchObject({ ok: true })
  expect(w.working).toEqual([])
  expect(w.order({ price: '98.00', quantity: '600' })).toMatchObject({ ok: true })
})

test('a market order that the margin would not carry if it filled now is refused at once', () => {
  const w = slow({ leverage: '1' })
  expect(w.buy('1000')).toMatchObject({ code: 'insufficient_margin' })
  expect([w.working, w.state.book.taken]).toEqual([[], []])
})

test('post-only that would take when it arrives is cancelled then', () => {
  const w = slow()
  w.order({ price: '100.00', post_only: true })
  w.quote(at(1100), '99.00', '100.00').clock(at(1300))
  expect([w.fills, w.ended]).toEqual([[], ['#1 cancelled would_take']])
})

test('a stop waits for its arrival before it can trigger, and triggers on it where its condition holds', () => {
  const w = slow()
  w.order({ side: 'sell', type: 'stop', stop_price: '95.00' })
  w.quote(at(1100), '94.00', '96.00')
  expect(w.fills).toEqual([])
  w.clock(at(1300))
  expect(w.fills).toEqual(['#1 sell 10 @ 94 taker'])
})

test('it expires on its way', () => {
  const w = slow()
  w.order({ price: '98.00', time_in_force: 'gtd', expires_at: START + 1100 })
  w.clock(at(2000))
  expect(w.ended).toEqual(['#1 expired'])
})

test('one that arrives in a halted market takes nothing: a market order is cancelled, a limit rests', () => {
  const w = slow()
  w.buy('10')
  w.order({ price: '102.00' })
  w.status(at(1100), 'halted').clock(at(1300))
  expect([w.fills, w.ended, w.working]).toEqual([[], ['#1 cancelled no_liquidity'], ['#2 10']])
})

test('an amendment acts at once, also on an order that has not arrived', () => {
  const w = slow()
  const placed = w.order({ price: '98.00' })
  const order = placed.ok ? placed.order!.id : ''
  expect(w.command({ op: 'amend', order, price: '101.00' })).toMatchObject({
    order: { status: 'pending', price: '101' },
  })
  w.clock(at(1300))
  expect(w.fills).toEqual(['#1 buy 10 @ 101 taker'])
})

test('a bracket and a pair come through it whole', () => {
  const w = slow()
  w.order({ type: 'market', take_profit: { price: '110.00' }, stop_loss: { stop_price: '90.00' } })
  w.order({ type: 'oco', price: '95.00', stop_price: '120.00' })
  w.clock(at(1300))
  expect(w.working).toEqual(['#1.tp 10', '#1.sl 10', '#2 10', '#2.stop 10'])
})
