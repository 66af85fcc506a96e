import { expect, test } from 'bun:test'
import { spec, World } from '../../../testing/world.ts'
import { str } from '../../money/dec.ts'

const at = (second: number): string => `2024-03-04T08:00:${String(second).padStart(2, '0')}Z`
const hedged = (): World =>
  new World(spec([], { position_mode: 'hedging' })).start(at(0)).quote(at(1), '99.00', '101.00')
const tickets = (w: World): string[] => w.state.book.positions.map((p) => `${str(p.quantity)} for ${str(p.cost)}`)
const idOf = (w: World, place: number): string => w.state.book.positions[place]!.id

test('each entry order has a ticket of its own: sides and sizes stand beside each other', () => {
  const w = hedged()
  w.buy('10')
  w.sell('4')
  w.buy('3')
  expect(tickets(w)).toEqual(['10 for 1010', '-4 for -396', '3 for 303'])
  expect(w.of('fill').map((f) => f.position.id)).toEqual(w.of('fill').map((f) => f.order))
})

test('fills of one order are one ticket', () => {
  const w = hedged()
  w.order({ price: '98.00' })
  w.quote(at(2), '97.00', '98.00', { ask_size: '4' }).quote(at(3), '97.00', '97.50', { ask_size: '6' })
  expect(tickets(w)).toEqual(['10 for 980'])
})

test('an order with a position reduces that ticket alone, and no more than it holds', () => {
  const w = hedged()
  w.buy('10')
  w.buy('5')
  const position = idOf(w, 0)
  expect(w.order({ side: 'sell', type: 'market', quantity: '12', position })).toMatchObject({
    order: { reduce_only: true, position, filled: '10', reason: 'no_liquidity' },
  })
  expect(tickets(w)).toEqual(['5 for 505'])
})

test('the same side, a ticket that is not there, and reduce_only without one are refused', () => {
  const w = hedged()
  w.buy('10')
  const position = idOf(w, 0)
  const market = { type: 'market' as const }
  expect(w.order({ ...market, side: 'buy', position })).toMatchObject({ code: 'nothing_to_reduce', field: 'side' })
  expect(w.order({ ...market, side: 'sell', position: 'o99' })).toMatchObject({
    code: 'position_not_open',
    field: 'position',
  })
  expect(w.order({ ...market, side: 'sell', reduce_only: true })).toMatchObject({
    code: 'validation_failed',
    field: 'position',
  })
})

test('a netting account names no position in an order', () => {
  const w = new World(spec([])).start(at(0)).quote(at(1), '99.00', '101.00')
  w.buy('10')
  expect(w.order({ side: 'sell', type: 'market', position: idOf(w, 0) })).toMatchObject({
    code: 'validation_failed',
    field: 'position',
  })
})

test('close takes the ticket, never the symbol', () => {
  const w = hedged()
  w.buy('10')
  w.sell('4')
  expect(w.command({ op: 'close', position: 'TST/USD' })).toMatchObject({ code: 'position_not_open' })
  expect(w.command({ op: 'close', position: idOf(w, 1) })).toMatchObject({ order: { side: 'buy', filled: '4' } })
  expect(tickets(w)).toEqual(['10 for 1010'])
})

test('exits of a bracket belong to their own ticket', () => {
  const w = hedged()
  const exits = { take_profit: { price: '110.00' }, stop_loss: { stop_price: '90.00' } }
  w.order({ type: 'market', ...exits })
  w.order({ type: 'market', quantity: '5', ...exits })
  w.command({ op: 'close', position: idOf(w, 0) })
  expect(w.working).toEqual(['#2.tp 5', '#2.sl 5'])
  w.quote(at(2), '110.00', '111.00')
  expect(w.fills.at(-1)).toBe('#2.tp sell 5 @ 110 maker')
  expect(tickets(w)).toEqual([])
})

test('a reducing order whose ticket is gone goes too, others of its symbol stay', () => {
  const w = hedged()
  w.buy('10')
  w.buy('5')
  w.order({ side: 'sell', price: '110.00', position: idOf(w, 0) })
  w.order({ side: 'sell', price: '110.00', quantity: '5', position: idOf(w, 1) })
  w.command({ op: 'close', position: idOf(w, 0) })
  expect(w.working).toEqual(['#4 5'])
  expect(w.ended.at(-1)).toBe('#3 cancelled nothing_to_reduce')
})
