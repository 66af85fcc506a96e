import { expect, test } from 'bun:test'
import { instrument, spec, World } from '../../../testing/world.ts'
import type { AccountSpec, OrderBody } from '../types.ts'

const at = (second: number): string => `2024-03-04T08:00:${String(second).padStart(2, '0')}Z`
const quoted = (more: Partial<AccountSpec> = {}): World =>
  new World(spec([], more)).start(at(0)).quote(at(1), '99.00', '101.00')
const pair = (w: World, more: Partial<OrderBody> = {}) =>
  w.order({ type: 'oco', price: '95.00', stop_price: '105.00', ...more })

test('it is two orders: a limit leg under the name of the order and a stop leg beside it', () => {
  const w = quoted()
  const placed = pair(w, { client_order_id: 'mine' })
  const id = placed.ok ? placed.order!.id : ''
  expect(placed).toMatchObject({
    order: { id, type: 'limit', price: '95', oco: `${id}.stop`, client_order_id: 'mine' },
    legs: [{ id }, { id: `${id}.stop`, type: 'stop', stop_price: '105', oco: id }],
  })
  expect(w.of('order')).toMatchObject([{ order: `${id}.stop`, status: 'working', view: { type: 'stop' } }])
})

test('a fill of one leg shrinks the other by as much, the whole of it cancels it', () => {
  const w = quoted()
  pair(w)
  w.quote(at(2), '94.00', '95.00', { ask_size: '4' })
  expect([w.fills, w.working]).toEqual([['#1 buy 4 @ 95 maker'], ['#1 6', '#1.stop 6']])
  expect(w.of('order').at(-1)).toMatchObject({ status: 'amended', reason: 'oco', view: { quantity: '6', filled: '0' } })
  w.quote(at(3), '104.00', '106.00')
  expect(w.fills[1]).toBe('#1.stop buy 6 @ 106 taker')
  expect(w.ended).toEqual(['#1.stop filled', '#1 cancelled oco'])
})

test('both legs never fill in one event', () => {
  const w = quoted()
  pair(w)
  // the print is below the limit leg while the ask is beyond the stop leg
  w.quote(at(2), '98.00', '104.00')
  w.tick(at(3), {
    kind: 'trade',
    symbol: 'TST/USD',
    price: '94.00',
    size: '10',
    side: 'sell',
    bid: '104.00',
    ask: '105.00',
    ask_size: '4',
  })
  expect(w.fills).toEqual(['#1.stop buy 4 @ 105 taker'])
  expect(w.working).toEqual(['#1 6'])
})

test('a stop-limit leg that triggered rests beside the limit leg; what one fills the other loses', () => {
  const w = quoted()
  pair(w, { stop_limit_price: '105.50' })
  w.quote(at(2), '106.00', '107.00')
  expect(w.working).toEqual(['#1 10', '#1.stop 10'])
  w.quote(at(3), '105.00', '105.50', { ask_size: '3' })
  expect(w.working).toEqual(['#1 7', '#1.stop 7'])
})

test('when both rest and one event reaches both, the one that came first fills', () => {
  const w = quoted()
  pair(w, { stop_limit_price: '105.50' })
  w.quote(at(2), '106.00', '107.00')
  w.quote(at(3), '93.00', '94.00', { ask_size: '6' })
  expect(w.fills).toEqual(['#1 buy 6 @ 95 maker'])
  expect(w.working).toEqual(['#1 4', '#1.stop 4'])
})

test('a stop leg that triggers on arrival and fills leaves the limit leg cancelled, not filled', () => {
  const w = quoted({ instruments: [instrument('TST/USD', { trigger_price: 'last' })] })
  w.trade(at(2), '106.00', '5', 'buy')
  expect(pair(w)).toMatchObject({
    order: { type: 'limit', status: 'cancelled', reason: 'oco', filled: '0' },
    legs: [{ status: 'cancelled' }, { type: 'stop', status: 'filled', filled: '10' }],
  })
  expect(w.ended).toEqual(['#1.stop filled', '#1 cancelled oco'])
})

test('cancelling one leg by hand cancels both', () => {
  const w = quoted()
  const placed = pair(w)
  const id = placed.ok ? placed.order!.id : ''
  expect(w.command({ op: 'cancel', order: `${id}.stop` })).toMatchObject({ cancelled: [`${id}.stop`, id] })
  expect(w.working).toEqual([])
})

test('the limit leg is on the passive side of the touch, the stop leg on the other, else oco_inconsistent names the field', () => {
  const w = quoted()
  const wrong = (field: string) => ({ ok: false, code: 'oco_inconsistent', field })
  expect(pair(w, { price: '101.00' })).toMatchObject(wrong('price'))
  expect(pair(w, { stop_price: '101.00' })).toMatchObject(wrong('stop_price'))
  expect(pair(w, { price: '100.99', stop_price: '101.01' }).ok).toBe(true)
  const sell = { side: 'sell' as const }
  expect(pair(w, { ...sell, price: '99.00', stop_price: '95.00' })).toMatchObject(wrong('price'))
  expect(pair(w, { ...sell, price: '105.00', stop_price: '99.00' })).toMatchObject(wrong('stop_price'))
  expect(pair(w, { ...sell, price: '99.01', stop_price: '98.99' }).ok).toBe(true)
})

test('its quantity follows from fills alone', () => {
  const w = quoted()
  const placed = pair(w)
  const id = placed.ok ? placed.order!.id : ''
  expect(w.command({ op: 'amend', order: id, quantity: '5' })).toMatchObject({
    code: 'not_amendable',
    field: 'quantity',
  })
  expect(w.command({ op: 'amend', order: `${id}.stop`, stop_price: '104.00' })).toMatchObject({ ok: true })
})

test('a pair reserves margin for one leg, the larger', () => {
  const w = quoted()
  pair(w, { quantity: '1000' })
  const before = w.state.book
  expect(before.positions).toEqual([])
  // 100,000 x 100 leverage carries one leg of 95,000 at 105, not two
  expect(pair(w, { quantity: '94000' }).ok).toBe(true)
})
