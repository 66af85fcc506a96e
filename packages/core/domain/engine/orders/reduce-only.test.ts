import { describe, expect, test } from 'bun:test'
import { instrument, spec, World } from '../../../testing/world.ts'
import type { AccountSpec } from '../types.ts'

const at = (second: number): string => `2024-03-04T08:00:${String(second).padStart(2, '0')}Z`
const quoted = (more: Partial<AccountSpec> = {}): World =>
  new World(spec([], more)).start(at(0)).quote(at(1), '99.00', '101.00')
const reduce = (w: World, side: 'buy' | 'sell', quantity: string, price?: string) =>
  w.order({ side, quantity, reduce_only: true, ...(price ? { price } : { type: 'market' as const }) })

describe('reduce_only', () => {
  test('refused nothing_to_reduce when there is nothing on the other side', () => {
    const w = quoted()
    expect(reduce(w, 'sell', '1')).toMatchObject({ ok: false, code: 'nothing_to_reduce' })
    w.buy('10')
    expect(reduce(w, 'buy', '1')).toMatchObject({ ok: false, code: 'nothing_to_reduce' })
    expect(reduce(w, 'sell', '1')).toMatchObject({ ok: true })
  })

  test('never opens: cut at fill time to what can be reduced', () => {
    const w = quoted()
    w.buy('10')
    expect(reduce(w, 'sell', '25')).toMatchObject({
      order: { status: 'cancelled', reason: 'no_liquidity', filled: '10' },
    })
    expect(w.state.book.positions).toEqual([])
  })

  test('a resting one is cut when it fills, not when it came', () => {
    const w = quoted()
    w.buy('10')
    reduce(w, 'sell', '10', '105.00')
    w.sell('7')
    w.quote(at(2), '105.00', '106.00')
    expect(w.fills.at(-1)).toBe('#2 sell 3 @ 105 maker')
    expect(w.ended.at(-1)).toBe('#2 cancelled nothing_to_reduce')
    expect(w.state.book.positions).toEqual([])
  })

  test('two of them share what there is to reduce', () => {
    const w = quoted()
    w.buy('10')
    reduce(w, 'sell', '8', '104.00')
    reduce(w, 'sell', '8', '105.00')
    w.quote(at(2), '106.00', '107.00')
    expect(w.fills.slice(1)).toEqual(['#2 sell 8 @ 104 maker', '#3 sell 2 @ 105 maker'])
    expect(w.ended.at(-1)).toBe('#3 cancelled nothing_to_reduce')
  })

  test('at the end of a point those of a symbol with nothing left go; a reversal leaves none of the old side', () => {
    const w = quoted()
    w.buy('10')
    reduce(w, 'sell', '10', '110.00')
    w.sell('15')
    expect(w.ended.at(-1)).toBe('#2 cancelled nothing_to_reduce')
    expect(w.working).toEqual([])
  })

  test('fill or kill is all of the order, so more than there is to reduce fills nothing', () => {
    const w = quoted()
    w.buy('10')
    expect(
      w.order({ side: 'sell', type: 'market', time_in_force: 'fok', quantity: '11', reduce_only: true }),
    ).toMatchObject({
      order: { filled: '0', reason: 'no_liquidity' },
    })
    expect(
      w.order({ side: 'sell', type: 'market', time_in_force: 'fok', quantity: '10', reduce_only: true }),
    ).toMatchObject({
      order: { status: 'filled' },
    })
  })

  test('it needs no margin and passes a stale market as a limit', () => {
    const w = quoted()
    w.buy('10')
    w.status(at(2), 'unknown')
    expect(reduce(w, 'sell', '10')).toMatchObject({ code: 'market_stale', retryable: true })
    expect(w.order({ side: 'sell', type: 'stop', stop_price: '90.00', reduce_only: true })).toMatchObject({
      code: 'market_stale',
    })
    expect(reduce(w, 'sell', '10', '98.00')).toMatchObject({ order: { status: 'working', filled: '0' } })
    w.quote(at(3), '99.00', '101.00')
    expect(w.fills.at(-1)).toBe('#2 sell 10 @ 98 maker')
  })
})

describe('close', () => {
  test('a position is closed by its name or, netting, its symbol, like a market order of its own name', () => {
    const w = quoted()
    w.buy('10')
    const [position] = w.state.book.positions
    expect(w.command({ op: 'close', position: position!.id, quantity: '4' })).toMatchObject({
      order: { type: 'market', side: 'sell', reduce_only: true, status: 'filled', filled: '4' },
    })
    expect(w.command({ op: 'close', position: 'TST/USD' })).toMatchObject({ order: { filled: '6' } })
    expect(w.fills.slice(1)).toEqual(['#2 sell 4 @ 99 taker', '#3 sell 6 @ 99 taker'])
    expect(w.state.book.positions).toEqual([])
  })

  test('one that is not there is refused', () => {
    const w = quoted()
    expect(w.command({ op: 'close', position: 'TST/USD' })).toMatchObject({
      code: 'position_not_open',
      field: 'position',
    })
  })

  test('a part off the quantity grid is refused with the nearest', () => {
    const w = quoted()
    w.buy('10')
    expect(w.command({ op: 'close', position: 'TST/USD', quantity: '2.4' })).toMatchObject({
      code: 'quantity_off_grid',
      nearest: '2',
    })
  })

  test('what has no depth stays open', () => {
    const w = quoted()
    w.buy('10')
    w.quote(at(2), '99.00', '101.00', { bid_size: '4' })
    expect(w.command({ op: 'close', position: 'TST/USD' })).toMatchObject({
      order: { filled: '4', status: 'cancelled', reason: 'no_liquidity' },
    })
    expect(w.state.book.positions).toHaveLength(1)
  })
})

describe('cancel', () => {
  test('by name or client id; what is not working is told so', () => {
    const w = quoted()
    w.order({ price: '90.00', client_order_id: 'a' })
    w.order({ price: '91.00', client_order_id: 'b' })
    expect(w.command({ op: 'cancel', order: 'client:b' })).toMatchObject({ ok: true })
    expect(w.working).toEqual(['#1 10'])
    expect(w.command({ op: 'cancel', order: 'client:b' })).toMatchObject({ code: 'order_not_working' })
  })

  test('all of a symbol, or all', () => {
    const w = quoted()
    w.order({ price: '90.00' })
    w.order({ type: 'oco', price: '90.00', stop_price: '110.00' })
    const all = w.command({ op: 'cancel_all' })
    expect(all.ok && all.cancelled).toHaveLength(3)
    expect(w.working).toEqual([])
    expect(w.command({ op: 'cancel_all', symbol: 'TST/USD' })).toMatchObject({ cancelled: [] })
  })
})

describe('an order against a position only reduces', () => {
  const least = { instruments: [instrument('TST/USD', { min_notional: '5000' })] }
  /** What only reduces may be smaller than the least notional. */
  const isReducing = (w: World, quantity: string) => w.order({ side: 'sell', type: 'market', quantity }).ok

  test('whatever exits wait on its side: they open nothing, so they use up nothing', () => {
    const w = quoted(least)
    w.order({ type: 'market', quantity: '60', take_profit: { price: '120.00' }, stop_loss: { stop_price: '80.00' } })
    expect(isReducing(w, '40')).toBe(true)
  })
  test('after the orders of its side that could reverse it: of a pair one leg', () => {
    const w = quoted(least)
    w.buy('120')
    w.order({ side: 'sell', type: 'oco', price: '120.00', stop_price: '80.00', quantity: '80' })
    expect([isReducing(w, '41'), isReducing(w, '40')]).toEqual([false, true])
  })
})
