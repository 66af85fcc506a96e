import { describe, expect, test } from 'bun:test'
import { spec, World } from '../../../testing/world.ts'
import { str } from '../../money/dec.ts'
import type { AccountSpec, AmendBody, OrderBody } from '../types.ts'

const at = (second: number): string => `2024-03-04T08:00:${String(second).padStart(2, '0')}Z`
const quoted = (more: Partial<AccountSpec> = {}): World =>
  new World(spec([], more)).start(at(0)).quote(at(1), '99.00', '101.00')
const place = (w: World, body: Partial<OrderBody>): string => {
  const placed = w.order(body)
  return placed.ok ? placed.order!.id : ''
}
const amend = (w: World, order: string, change: AmendBody) => w.command({ op: 'amend', order, ...change })

describe('queue place', () => {
  const two = () => {
    const w = quoted()
    const first = place(w, { price: '98.00', client_order_id: 'first' })
    place(w, { price: '98.00' })
    return { w, first }
  }
  const firstToFill = (w: World): string => w.quote(at(9), '97.00', '98.00', { ask_size: '1' }).fills[0]!.slice(0, 2)

  test('another price or a raised quantity goes to the end of the queue', () => {
    const priced = two()
    amend(priced.w, priced.first, { price: '98.50' })
    amend(priced.w, 'client:first', { price: '98.00' })
    expect(firstToFill(priced.w)).toBe('#2')
    const raised = two()
    expect(amend(raised.w, raised.first, { quantity: '11' })).toMatchObject({
      order: { quantity: '11', status: 'working' },
    })
    expect(firstToFill(raised.w)).toBe('#2')
  })

  test('a lowered quantity, the same price or another expiry keeps the place', () => {
    for (const change of [{ quantity: '9' }, { price: '98.00' }, { quantity: '10' }]) {
      const { w, first } = two()
      expect(amend(w, first, change).ok).toBe(true)
      expect(firstToFill(w)).toBe('#1')
    }
    const w = quoted()
    const gtd = place(w, { price: '98.00', time_in_force: 'gtd', expires_at: Date.parse(at(10)) })
    place(w, { price: '98.00' })
    amend(w, gtd, { expires_at: Date.parse(at(30)) })
    w.clock(at(20))
    expect(firstToFill(w)).toBe('#1')
  })

  test('an amendment is written with the order as it stands', () => {
    const { w, first } = two()
    amend(w, first, { quantity: '4' })
    expect(w.of('order').at(-1)).toMatchObject({
      order: first,
      status: 'amended',
      view: { quantity: '4', price: '98' },
    })
  })
})

describe('trading', () => {
  test('a crossing price trades as taker at the better book price, the rest rests', () => {
    const w = quoted().quote(at(2), '99.00', '101.00', { ask_size: '4' })
    const id = place(w, { price: '98.00' })
    expect(amend(w, id, { price: '101.50' })).toMatchObject({
      order: { filled: '4', status: 'working', price: '101.5' },
    })
    expect(w.fills).toEqual(['#1 buy 4 @ 101 taker'])
  })

  test('a post-only order may not be amended into the market', () => {
    const w = quoted()
    const id = place(w, { price: '98.00', post_only: true })
    expect(amend(w, id, { price: '101.00' })).toMatchObject({ ok: false, code: 'would_take' })
    expect(str(w.state.orders[0]!.price!)).toBe('98')
  })

  test('a stop whose new price holds already triggers at once', () => {
    const w = quoted()
    const id = place(w, { side: 'sell', type: 'stop', stop_price: '90.00' })
    expect(amend(w, id, { stop_price: '99.00' })).toMatchObject({ order: { status: 'filled' } })
    expect(w.fills).toEqual(['#1 sell 10 @ 99 taker'])
  })

  test('a trail keeps its best price under a new distance', () => {
    const w = quoted()
    const id = place(w, { side: 'sell', type: 'trailing_stop', trail: { offset: '5.00' } })
    w.quote(at(2), '110.00', '111.00').quote(at(3), '107.00', '108.00')
    expect(amend(w, id, { trail: { offset: '4.00' } })).toMatchObject({
      order: { stop_price: '106', trail: { offset: '4' } },
    })
    expect(amend(w, id, { trail: { offset: '3.00' } })).toMatchObject({ order: { status: 'filled' } })
  })

  test('margin is checked again, and a refusal leaves the order as it was', () => {
    const w = quoted({ leverage: '1' })
    const id = place(w, { price: '98.00', quantity: '1000' })
    const before = w.state.orders
    expect(amend(w, id, { quantity: '1100' })).toMatchObject({ ok: false, code: 'insufficient_margin' })
    expect(w.state.orders).toEqual(before)
    expect(w.of('order')).toEqual([])
    expect(amend(w, id, { quantity: '1020' }).ok).toBe(true)
  })
})

describe('refusals', () => {
  test('the quantity stays above what is filled, on the grid and within bounds', () => {
    const w = quoted()
    const id = place(w, { price: '98.00' })
    w.quote(at(2), '97.00', '98.00', { ask_size: '4' })
    expect(amend(w, id, { quantity: '4' })).toMatchObject({ code: 'quantity_too_small', field: 'quantity' })
    expect(amend(w, id, { quantity: '5.5' })).toMatchObject({ code: 'quantity_off_grid', nearest: '5' })
    expect(amend(w, id, { quantity: '5' })).toMatchObject({ order: { quantity: '5', filled: '4' } })
  })

  test('what its type does not have cannot be changed: the field is named', () => {
    const w = quoted()
    const limit = place(w, { price: '98.00' })
    const stop = place(w, { type: 'stop', stop_price: '110.00' })
    const not = (field: string) => ({ code: 'not_amendable', field })
    expect(amend(w, limit, { stop_price: '110.00' })).toMatchObject(not('stop_price'))
    expect(amend(w, limit, { trail: { pct: '1' } })).toMatchObject(not('trail'))
    expect(amend(w, limit, { expires_at: Date.parse(at(30)) })).toMatchObject(not('expires_at'))
    expect(amend(w, stop, { price: '98.00' })).toMatchObject(not('price'))
    expect(amend(w, 'o999', { price: '98.00' })).toMatchObject({ code: 'order_not_working' })
    expect(amend(w, limit, { price: '98.001' })).toMatchObject({
      code: 'price_off_grid',
      field: 'price',
      nearest: '98',
    })
  })

  test('one that changes nothing is refused, and so is one of an order that expired or is about to', () => {
    const w = quoted()
    const id = place(w, { price: '98.00', time_in_force: 'gtd', expires_at: Date.parse(at(10)) })
    expect(amend(w, id, {})).toMatchObject({ code: 'validation_failed' })
    expect(amend(w, id, { expires_at: Date.parse(at(1)) })).toMatchObject({
      code: 'order_expired',
      field: 'expires_at',
    })
    w.clock(at(10))
    expect(amend(w, id, { quantity: '5' })).toMatchObject({ code: 'order_not_working' })
  })

  test("an exit's price can be changed, its quantity not", () => {
    const w = quoted()
    const id = place(w, { type: 'market', take_profit: { price: '110.00' }, stop_loss: { stop_price: '90.00' } })
    expect(amend(w, `${id}.tp`, { price: '105.00' })).toMatchObject({ order: { price: '105' } })
    expect(amend(w, `${id}.sl`, { stop_price: '95.00' })).toMatchObject({ order: { stop_price: '95' } })
    expect(amend(w, `${id}.sl`, { quantity: '5' })).toMatchObject({ code: 'not_amendable', field: 'quantity' })
    w.quote(at(2), '94.00', '96.00')
    expect(w.fills[1]).toBe('#1.sl sell 10 @ 94 taker')
  })

  test('an entry whose exits are not born yet stays consistent with them', () => {
    const w = quoted()
    const id = place(w, { price: '98.00', take_profit: { price: '99.50' } })
    expect(amend(w, id, { price: '99.50' })).toMatchObject({ code: 'bracket_inconsistent', field: 'take_profit.price' })
  })
})
