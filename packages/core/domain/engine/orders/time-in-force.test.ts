import { describe, expect, test } from 'bun:test'
import { instrument, spec, World } from '../../../testing/world.ts'
import type { AccountSpec } from '../types.ts'

const at = (second: number): string => `2024-03-04T08:00:${String(second).padStart(2, '0')}Z`
const quoted = (more: Partial<AccountSpec> = {}): World =>
  new World(spec([], more)).start(at(0)).quote(at(1), '99.00', '101.00')

describe('fok', () => {
  const thin = (more: Partial<AccountSpec> = {}) =>
    quoted(more)
      .quote(at(2), '99.00', '101.00', { bid_size: '6', ask_size: '6' })
      .levels(at(3), [['98.00', '4']], [['102.00', '4']])

  test('all of it against depth that shows, or nothing: cancelled no_liquidity', () => {
    const w = thin()
    expect(w.order({ type: 'market', time_in_force: 'fok', quantity: '11' })).toMatchObject({
      ok: true,
      order: { status: 'cancelled', reason: 'no_liquidity', filled: '0' },
    })
    expect(w.order({ type: 'market', time_in_force: 'fok', quantity: '10' })).toMatchObject({
      order: { status: 'filled' },
    })
    expect(w.fills).toEqual(['#2 buy 6 @ 101 taker', '#2 buy 4 @ 102 taker'])
  })

  test('slippage beyond the depth is none that shows', () => {
    const w = thin({ instruments: [instrument('TST/USD', { slippage_bps: '5' })] })
    expect(w.order({ type: 'market', time_in_force: 'fok', quantity: '11' })).toMatchObject({ order: { filled: '0' } })
    expect(w.order({ type: 'market', quantity: '11' })).toMatchObject({ order: { filled: '11' } })
  })

  test('a limit counts only what its price allows', () => {
    const w = thin()
    expect(w.order({ price: '101.50', time_in_force: 'fok', quantity: '7' })).toMatchObject({ order: { filled: '0' } })
    expect(w.order({ price: '101.50', time_in_force: 'fok', quantity: '6' })).toMatchObject({
      order: { status: 'filled' },
    })
    expect(w.working).toEqual([])
  })
})

test('ioc takes what crosses and cancels the rest', () => {
  const w = quoted().quote(at(2), '99.00', '101.00', { ask_size: '6' })
  expect(w.order({ price: '101.00', time_in_force: 'ioc' })).toMatchObject({
    order: { status: 'cancelled', reason: 'no_liquidity', filled: '6' },
  })
})

describe('gtd', () => {
  test('it expires at its instant, before the first event at or after it', () => {
    const w = quoted()
    w.order({ price: '100.00', time_in_force: 'gtd', expires_at: Date.parse(at(10)) })
    w.quote(at(9), '99.00', '100.50')
    expect(w.working).toEqual(['#1 10'])
    w.quote(at(11), '99.00', '100.00')
    expect([w.fills, w.ended]).toEqual([[], ['#1 expired']])
    expect(w.of('order').at(-1)).toMatchObject({ mts: Date.parse(at(10)), filled: '0' })
  })

  test('an event at that very instant comes after it', () => {
    const w = quoted()
    w.order({ price: '100.00', time_in_force: 'gtd', expires_at: Date.parse(at(10)) })
    w.quote(at(10), '99.00', '100.00')
    expect([w.fills, w.ended]).toEqual([[], ['#1 expired']])
  })

  test('one whose time is past or now is refused', () => {
    const w = quoted()
    for (const second of [0, 1])
      expect(w.order({ price: '100.00', time_in_force: 'gtd', expires_at: Date.parse(at(second)) })).toMatchObject({
        code: 'order_expired',
        field: 'expires_at',
      })
  })
})

describe('day', () => {
  const PRAGUE_MIDNIGHT = Date.parse('2024-03-04T23:00:00Z')

  test("it expires at the phase's reset", () => {
    const w = quoted()
    w.order({ price: '90.00', time_in_force: 'day' })
    w.order({ type: 'stop', stop_price: '190.00', time_in_force: 'day' })
    w.order({ type: 'oco', price: '90.00', stop_price: '190.00', time_in_force: 'day' })
    w.order({ price: '80.00' })
    w.clock('2024-03-04T22:59:59Z')
    expect(w.ended).toEqual([])
    w.clock('2024-03-05T01:00:00Z')
    expect(w.ended).toEqual(['#1 expired', '#2 expired', '#3 expired', '#3.stop expired'])
    expect(w.of('order').at(-1)!.mts).toBe(PRAGUE_MIDNIGHT)
    expect(w.working).toEqual(['#4 10'])
  })

  test("it expires at the instrument's session end where that is first", () => {
    const hours = { name: 'hours', version: 1, kind: 'sessions' as const, zone: 'UTC', holidays: null }
    const weekly = [1, 2, 3, 4, 5].map((day) => ({ from: { day, time: '07:00' }, to: { day, time: '16:00' } }))
    const w = quoted({
      instruments: [instrument('TST/USD', { session_calendar: 'hours' })],
      calendars: [{ ...hours, weekly }],
    })
    w.order({ price: '90.00', time_in_force: 'day' })
    w.clock('2024-03-04T20:00:00Z')
    expect(w.ended).toEqual(['#1 expired'])
    expect(w.of('order')[0]!.mts).toBe(Date.parse('2024-03-04T16:00:00Z'))
  })

  test('its expiry goes before the reset of the same instant, so a flat account can pass there', () => {
    const w = quoted()
    w.order({ price: '90.00', time_in_force: 'day' })
    w.clock('2024-03-05T01:00:00Z')
    const kinds = w.records.filter((r) => r.mts === PRAGUE_MIDNIGHT).map((r) => r.kind)
    expect(kinds.slice(0, 2)).toEqual(['order', 'day'])
  })
})

describe('post_only', () => {
  test('it rests where it would not trade and is refused would_take where it would', () => {
    const w = quoted()
    expect(w.order({ price: '101.00', post_only: true })).toMatchObject({
      ok: false,
      code: 'would_take',
      field: 'price',
    })
    expect(w.order({ price: '100.99', post_only: true })).toMatchObject({
      order: { status: 'working', post_only: true },
    })
    expect(w.order({ side: 'sell', price: '99.00', post_only: true })).toMatchObject({ code: 'would_take' })
    expect(w.order({ side: 'sell', price: '99.01', post_only: true })).toMatchObject({ order: { status: 'working' } })
  })

  test('nothing of a refused one is left', () => {
    const w = quoted()
    const before = w.state.orders
    w.order({ price: '101.00', post_only: true })
    expect([w.state.orders, w.fills, w.state.book.taken]).toEqual([before, [], []])
  })
})
