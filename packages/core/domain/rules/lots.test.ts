import { expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { type Lots, newTrades, type Order } from '../engine/state.ts'
import { dec, str, ZERO } from '../money/dec.ts'
import { countSize, ofThisWeek, sizesOf } from './lots.ts'

const trades = () => newTrades()
type Fill = [order: string, opened: string, more?: { at?: string; working?: string[]; symbol?: string }]
function after(...fills: Fill[]): Lots[] {
  const all = trades()
  for (const [order, opened, { at = '2024-03-04T12:00:00Z', working = [], symbol = 'TST/USD' } = {}] of fills) {
    const orders = working.map((id) => ({ id }) as Order)
    const facts = factsOf({ at: Date.parse(at), account: { trades: all, orders } })
    countSize(
      {
        order,
        position: order,
        symbol,
        side: 'buy',
        gross: ZERO,
        net: ZERO,
        opened: dec(opened),
        closes: false,
        endsSide: false,
        ended: null,
      },
      facts,
    )
  }
  return all.lots
}
const shown = (lots: Lots) => {
  const { count, sum, least, most } = sizesOf(lots)
  return [count, str(sum), str(least), str(most)]
}

test('each opening order is one size: least, most and sum of them', () => {
  const [lots] = after(['o1', '2'], ['o2', '5'], ['o3', '1'])
  expect(shown(lots!)).toEqual([3, '8', '1', '5'])
})

test('an order that is filled in parts is one size', () => {
  const working = ['o1']
  const [lots] = after(['o1', '2', { working }], ['o2', '9', { working }], ['o1', '3'], ['o3', '4'])
  expect(shown(lots!)).toEqual([3, '18', '4', '9'])
})

test('a part that is not the last one counts as it is', () => {
  const [lots] = after(['o1', '2', { working: ['o1'] }])
  expect(shown(lots!)).toEqual([1, '2', '2', '2'])
})

test('a fill that only reduces is no size', () => {
  expect(after(['o1', '0'])).toEqual([])
})

test('symbols are counted apart', () => {
  const lots = after(['o1', '2'], ['o2', '7', { symbol: 'XXX/USD' }], ['o3', '4'])
  expect(lots.map((l) => [l.symbol, ...shown(l)])).toEqual([
    ['TST/USD', 2, '6', '2', '4'],
    ['XXX/USD', 1, '7', '7', '7'],
  ])
})

test('a week begins with the trading day that ends on Monday or later: what was before is forgotten with the first order in it', () => {
  // Prague is an hour ahead: its Monday began at 23:00
  const sunday = { at: '2024-03-10T22:59:59Z' }
  const monday = { at: '2024-03-10T23:00:00Z' }
  expect(shown(after(['o1', '2'], ['o2', '4', sunday])[0]!)).toEqual([2, '6', '2', '4'])
  expect(shown(after(['o1', '2'], ['o2', '4', monday])[0]!)).toEqual([1, '4', '4', '4'])
})

test('sizes of an earlier week are none of this one', () => {
  const all = trades()
  all.lots = after(['o1', '2'])
  const of = (at: string) => ofThisWeek(factsOf({ at: Date.parse(at), account: { trades: all } })).length
  expect([of('2024-03-10T22:59:59Z'), of('2024-03-10T23:00:00Z'), of('2024-03-03T22:59:59Z')]).toEqual([1, 0, 0])
})

test('where the day turns in the afternoon, the week turns with it on Sunday', () => {
  const all = trades()
  all.lots = after(['o1', '2'])
  const spec = { reset_zone: 'America/New_York', reset_time: '17:00' }
  const of = (at: string) => ofThisWeek(factsOf({ at: Date.parse(at), spec, account: { trades: all } })).length
  // 17:00 in New York is 21:00 UTC from that Sunday on
  expect([of('2024-03-10T20:59:59Z'), of('2024-03-10T21:00:00Z')]).toEqual([1, 0])
})
