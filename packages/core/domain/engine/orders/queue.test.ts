import { expect, test } from 'bun:test'
import { spec, World } from '../../../testing/world.ts'
import { str } from '../../money/dec.ts'

const at = (second: number): string => `2024-03-04T08:00:${String(second).padStart(2, '0')}Z`
const quoted = (): World =>
  new World(spec([], { queue_model: true }))
    .start(at(0))
    .quote(at(1), '99.00', '101.00', { bid_size: '20', ask_size: '20' })
const ahead = (w: World): (string | null)[] => w.state.orders.map((o) => o.ahead && str(o.ahead))

test('an order that comes to rest waits behind the size displayed at exactly its price: touch, level or nothing', () => {
  const w = quoted().levels(at(2), [['98.00', '30']], [])
  w.order({ price: '99.00' })
  w.order({ price: '98.00' })
  w.order({ price: '98.50' })
  expect(ahead(w)).toEqual(['20', '30', '0'])
})

test('without the model a print at its own price gives nothing', () => {
  const w = new World(spec([])).start(at(0)).quote(at(1), '99.00', '101.00')
  w.order({ price: '99.00' })
  w.trade(at(2), '99.00', '500', 'sell')
  expect([w.fills, w.state.orders[0]!.ahead]).toEqual([[], null])
})

test('prints at its price go to what is ahead first, what is left of the print fills it', () => {
  const w = quoted()
  w.order({ price: '99.00' })
  w.trade(at(2), '99.00', '15', 'sell')
  expect([w.fills, ahead(w)]).toEqual([[], ['5']])
  w.trade(at(3), '99.00', '8', 'sell')
  expect([w.fills, ahead(w)]).toEqual([['#1 buy 3 @ 99 maker'], ['0']])
  w.trade(at(4), '99.00', '100', 'sell')
  expect(w.fills[1]).toBe('#1 buy 7 @ 99 maker')
})

test('a displayed size at its price that is below what was ahead lowers it; a larger one does not raise it', () => {
  const w = quoted()
  w.order({ price: '99.00' })
  w.quote(at(2), '99.00', '101.00', { bid_size: '12', ask_size: '20' })
  expect(ahead(w)).toEqual(['12'])
  w.quote(at(3), '99.00', '101.00', { bid_size: '50', ask_size: '20' })
  expect(ahead(w)).toEqual(['12'])
  w.quote(at(4), '98.00', '101.00', { bid_size: '1', ask_size: '20' })
  expect(ahead(w)).toEqual(['12'])
})

test('a print beyond its price and a book that reaches it need no queue', () => {
  const w = quoted()
  w.order({ price: '99.00' })
  w.trade(at(2), '98.99', '4', 'sell')
  w.quote(at(3), '98.00', '99.00', { ask_size: '2' })
  expect(w.fills).toEqual(['#1 buy 4 @ 99 maker', '#1 buy 2 @ 99 maker'])
})

test('two orders at one price: each print is used once, the first to come first', () => {
  const w = quoted()
  w.order({ price: '99.00' })
  w.order({ price: '99.00' })
  w.trade(at(2), '99.00', '32', 'sell')
  expect(w.fills).toEqual(['#1 buy 10 @ 99 maker', '#2 buy 2 @ 99 maker'])
})

test('an amended price waits behind what stands at the new one', () => {
  const w = quoted()
  const placed = w.order({ price: '98.50' })
  w.command({ op: 'amend', order: placed.ok ? placed.order!.id : '', price: '99.00' })
  expect(ahead(w)).toEqual(['20'])
})

test('a triggered stop-limit joins the queue when it comes to rest', () => {
  const w = quoted()
  w.order({ type: 'stop_limit', stop_price: '105.00', price: '104.00' })
  expect(ahead(w)).toEqual([null])
  w.quote(at(2), '104.00', '105.00', { bid_size: '7', ask_size: '1' })
  expect(ahead(w)).toEqual(['7'])
})

test('an exit that is born waits behind what stands at its price then, and takes no part in the print that made it', () => {
  const w = quoted().levels(at(2), [], [['102.00', '40']])
  w.order({ type: 'market', take_profit: { price: '102.00' } })
  expect(ahead(w)).toEqual(['40'])
})
