import { describe, expect, test } from 'bun:test'
import { instrument, spec, World } from '../../../testing/world.ts'
import type { AccountSpec } from '../types.ts'

const at = (second: number): string => `2024-03-04T08:00:${String(second).padStart(2, '0')}Z`
function quoted(more: Partial<AccountSpec> = {}): World {
  return new World(spec([], more)).start(at(0)).quote(at(1), '99.00', '101.00')
}
const deep = (w: World, second: number, bid: string, ask: string): World => w.quote(at(second), bid, ask)

describe('stop', () => {
  test('a buy triggers on the ask at its price, a sell on the bid, and not a tick before', () => {
    const w = quoted()
    w.order({ side: 'buy', type: 'stop', stop_price: '102.00' })
    w.order({ side: 'sell', type: 'stop', stop_price: '98.00' })
    deep(w, 2, '98.01', '101.99')
    expect(w.fills).toEqual([])
    deep(w, 3, '98.01', '102.00')
    deep(w, 4, '98.00', '101.00')
    expect(w.fills).toEqual(['#1 buy 10 @ 102 taker', '#2 sell 10 @ 98 taker'])
  })

  test('it fills at the gap price when the market gaps through it', () => {
    const w = quoted()
    w.order({ side: 'sell', type: 'stop', stop_price: '98.00' })
    deep(w, 2, '90.00', '91.00')
    expect(w.fills).toEqual(['#1 sell 10 @ 90 taker'])
    expect(w.of('order').map((r) => r.status)).toEqual(['triggered', 'filled'])
    expect(w.of('order')[0]!.view).toMatchObject({ type: 'stop', stop_price: '98', status: 'working' })
  })

  test('what a triggered stop finds no depth for is cancelled, not rested', () => {
    const w = quoted()
    w.order({ side: 'sell', type: 'stop', stop_price: '98.00' })
    w.quote(at(2), '97.00', '99.00', { bid_size: '4' })
    expect(w.fills).toEqual(['#1 sell 4 @ 97 taker'])
    expect(w.ended).toEqual(['#1 cancelled no_liquidity'])
    expect(w.working).toEqual([])
  })

  test('a stop whose condition holds on arrival triggers at once', () => {
    const w = quoted()
    expect(w.order({ side: 'buy', type: 'stop', stop_price: '101.00' })).toMatchObject({
      order: { status: 'filled', filled: '10' },
    })
    expect(w.fills).toEqual(['#1 buy 10 @ 101 taker'])
  })

  test('where the instrument says last, the trade triggers and the touch does not', () => {
    const w = quoted({ instruments: [instrument('TST/USD', { trigger_price: 'last' })] })
    w.order({ side: 'buy', type: 'stop', stop_price: '102.00' })
    w.quote(at(2), '103.00', '104.00')
    w.trade(at(3), '101.99', '5', 'buy')
    expect(w.fills).toEqual([])
    w.trade(at(4), '102.00', '5', 'buy')
    expect(w.fills).toEqual(['#1 buy 10 @ 104 taker'])
  })

  test('on arrival the newest trade counts where last triggers', () => {
    const w = quoted({ instruments: [instrument('TST/USD', { trigger_price: 'last' })] })
    w.trade(at(2), '102.00', '5', 'buy')
    w.order({ side: 'buy', type: 'stop', stop_price: '102.00' })
    expect(w.fills).toEqual(['#1 buy 10 @ 101 taker'])
  })

  test('stops of one event trigger by arrival, but what protects the position goes before what adds to it', () => {
    const w = quoted()
    w.buy('5')
    w.order({ side: 'buy', type: 'stop', stop_price: '105.00', quantity: '1' })
    w.order({ side: 'buy', type: 'stop', stop_price: '104.00', quantity: '2' })
    w.order({ side: 'sell', type: 'stop', stop_price: '95.00', quantity: '5' })
    deep(w, 2, '90.00', '110.00')
    expect(w.fills.slice(1)).toEqual(['#4 sell 5 @ 90 taker', '#2 buy 1 @ 110 taker', '#3 buy 2 @ 110 taker'])
  })

  test('of stops on one side the one that came first takes the depth, a reduce-only one is cut to what is left to reduce', () => {
    const w = quoted()
    w.sell('5')
    w.order({ side: 'buy', type: 'stop', stop_price: '102.00', quantity: '4' })
    w.order({ side: 'buy', type: 'stop', stop_price: '102.00', quantity: '5', reduce_only: true })
    w.quote(at(2), '101.00', '102.00', { ask_size: '6' })
    expect(w.fills.slice(1)).toEqual(['#2 buy 4 @ 102 taker', '#3 buy 1 @ 102 taker'])
    expect(w.ended.at(-1)).toBe('#3 cancelled no_liquidity')
  })

  test('a stop of another side of the book than the event moves stays', () => {
    const w = quoted()
    w.order({ side: 'buy', type: 'stop', stop_price: '105.00' })
    deep(w, 2, '80.00', '81.00')
    expect(w.working).toEqual(['#1 10'])
  })

  test('while the market is halted nothing triggers, at its opening the standing price does', () => {
    const w = quoted()
    w.order({ side: 'sell', type: 'stop', stop_price: '98.00' })
    w.status(at(2), 'halted')
    deep(w, 3, '97.00', '98.00')
    expect(w.fills).toEqual([])
    w.status(at(4), 'open')
    expect(w.fills).toEqual(['#1 sell 10 @ 97 taker'])
  })

  test('a mark-up counts in the trigger: the ask that the account sees', () => {
    const w = quoted({ instruments: [instrument('TST/USD', { spread_markup_ticks: '50' })] })
    w.order({ side: 'buy', type: 'stop', stop_price: '102.00' })
    deep(w, 2, '100.00', '101.49')
    expect(w.fills).toEqual([])
    deep(w, 3, '100.00', '101.50')
    expect(w.fills).toEqual(['#1 buy 10 @ 102 taker'])
    expect(w.of('fill')[0]!.source).toMatchObject({ kind: 'quote', price: '101.5' })
  })
})

describe('stop_limit', () => {
  test('triggered it takes what crosses within its limit, and the rest joins the queue as maker', () => {
    const w = quoted()
    w.order({ side: 'buy', type: 'stop_limit', stop_price: '102.00', price: '102.50' })
    w.quote(at(2), '101.00', '102.40', { ask_size: '4' })
    expect(w.fills).toEqual(['#1 buy 4 @ 102.4 taker'])
    expect(w.working).toEqual(['#1 6'])
    w.quote(at(3), '101.00', '102.50', { ask_size: '50' })
    expect(w.fills[1]).toBe('#1 buy 6 @ 102.5 maker')
  })

  test('gapped through its limit it rests unfilled', () => {
    const w = quoted()
    w.order({ side: 'buy', type: 'stop_limit', stop_price: '102.00', price: '102.50' })
    deep(w, 2, '104.00', '105.00')
    expect([w.fills, w.working]).toEqual([[], ['#1 10']])
    deep(w, 3, '101.00', '102.00')
    expect(w.fills).toEqual(['#1 buy 10 @ 102.5 maker'])
  })

  test('it loses its place in time: a limit order that came later but rested earlier goes first', () => {
    const w = quoted()
    w.order({ side: 'buy', type: 'stop_limit', stop_price: '105.00', price: '100.50', quantity: '3' })
    w.order({ side: 'buy', price: '100.50', quantity: '3' })
    deep(w, 2, '104.00', '105.00')
    w.quote(at(3), '100.00', '100.50', { ask_size: '4' })
    expect(w.fills).toEqual(['#2 buy 3 @ 100.5 maker', '#1 buy 1 @ 100.5 maker'])
  })
})

describe('trailing_stop', () => {
  test('it follows the bid of a sell upward only and triggers at the distance', () => {
    const w = quoted()
    w.buy('10')
    w.order({ side: 'sell', type: 'trailing_stop', trail: { offset: '2.00' } })
    deep(w, 2, '103.00', '104.00')
    deep(w, 3, '101.01', '102.00')
    expect(w.fills).toHaveLength(1)
    deep(w, 4, '101.00', '102.00')
    expect(w.fills[1]).toBe('#2 sell 10 @ 101 taker')
  })

  test('a price that betters the best moves it and triggers nothing at that event', () => {
    const w = quoted()
    w.order({ side: 'buy', type: 'trailing_stop', trail: { offset: '1.00' } })
    deep(w, 2, '90.00', '91.00')
    expect(w.state.orders[0]!.stop).toEqual({ n: 9200n, s: 2 })
    deep(w, 3, '90.00', '91.99')
    expect(w.fills).toEqual([])
    deep(w, 4, '91.00', '92.00')
    expect(w.fills).toEqual(['#1 buy 10 @ 92 taker'])
  })

  test('a percentage is of the best price', () => {
    const w = quoted()
    w.order({ side: 'sell', type: 'trailing_stop', trail: { pct: '10' } })
    deep(w, 2, '200.00', '201.00')
    deep(w, 3, '180.01', '181.00')
    expect(w.fills).toEqual([])
    deep(w, 4, '180.00', '181.00')
    expect(w.fills).toEqual(['#1 sell 10 @ 180 taker'])
  })

  test('with an activation price it stands still until that is reached', () => {
    const w = quoted()
    const placed = w.order({
      side: 'sell',
      type: 'trailing_stop',
      trail: { offset: '1.00' },
      activation_price: '105.00',
    })
    expect(placed).toMatchObject({ order: { activation_price: '105', trail: { offset: '1' } } })
    deep(w, 2, '90.00', '91.00')
    deep(w, 3, '104.99', '106.00')
    expect(w.state.orders[0]!.stop).toBeNull()
    deep(w, 4, '105.00', '106.00')
    deep(w, 5, '104.00', '106.00')
    expect(w.fills).toEqual(['#1 sell 10 @ 104 taker'])
  })

  test('stops and trails of different symbols do not meet', () => {
    const w = quoted({ instruments: [instrument('TST/USD'), instrument('OTH/USD')] })
    w.quote(at(2), '50.00', '51.00', { symbol: 'OTH/USD' })
    w.order({ side: 'sell', type: 'stop', stop_price: '98.00' })
    w.quote(at(3), '40.00', '41.00', { symbol: 'OTH/USD' })
    expect(w.working).toEqual(['#1 10'])
  })
})
