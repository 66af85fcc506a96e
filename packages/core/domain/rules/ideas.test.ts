import { expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { type Idea, newTrades, type Trades } from '../engine/state.ts'
import type { Side } from '../market/event.ts'
import { dec, str } from '../money/dec.ts'
import { countIdea } from './ideas.ts'

const WITHIN_S = 120
interface Told {
  at: number
  side: Side
  net: string
  opened?: string
  closes?: boolean
  endsSide?: boolean
  symbol?: string
  withinS?: number
}
/** Fills of one account, in order. */
function ideasAfter(...fills: Told[]): Idea[] {
  const trades: Trades = newTrades()
  for (const { at, side, net, opened = '0', closes = false, endsSide = false, symbol = 'XAU/USD', withinS } of fills) {
    const fill = {
      order: 'o1',
      position: 'o1',
      symbol,
      side,
      gross: dec(net),
      net: dec(net),
      opened: dec(opened),
      closes,
      endsSide,
      ended: null,
    }
    countIdea(withinS ?? WITHIN_S, fill, factsOf({ at, account: { trades } }))
  }
  return trades.ideas
}
const shown = (ideas: Idea[]) => ideas.map((i) => [i.symbol, i.side, str(i.realised), i.flatSince])
const open = (at: number, net = '-1', more: Partial<Told> = {}): Told => ({
  at,
  side: 'buy',
  net,
  opened: '1',
  ...more,
})
const close = (at: number, net: string, more: Partial<Told> = {}): Told => ({
  at,
  side: 'sell',
  net,
  closes: true,
  endsSide: true,
  ...more,
})

test('fees and results of trades that overlap are one idea', () => {
  expect(
    shown(ideasAfter(open(0), open(10), close(20, '-700', { endsSide: false }), open(30), close(40, '-1400'))),
  ).toEqual([['XAU/USD', 'buy', '-2103', 40]])
})

test("a trade at most the rule's seconds after the last one ended belongs to it, a millisecond later it does not", () => {
  const again = (at: number) => shown(ideasAfter(open(0), close(1000, '-700'), open(at)))
  expect(again(121_000)).toEqual([['XAU/USD', 'buy', '-702', null]])
  expect(again(121_001)).toEqual([['XAU/USD', 'buy', '-1', null]])
})

test('symbols and directions are ideas of their own', () => {
  expect(shown(ideasAfter(open(0), open(1, '-2', { symbol: 'EUR/USD' }), open(2, '-3', { side: 'sell' })))).toEqual([
    ['XAU/USD', 'buy', '-1', null],
    ['EUR/USD', 'buy', '-2', null],
    ['XAU/USD', 'sell', '-3', null],
  ])
})

test('what closes a short belongs to the short, what closes a long to the long', () => {
  expect(shown(ideasAfter(open(0, '-1', { side: 'sell' }), close(5, '50', { side: 'buy' })))).toEqual([
    ['XAU/USD', 'sell', '49', 5],
  ])
})

test('a reversal ends one idea with its result and fee and starts the other at nothing', () => {
  expect(shown(ideasAfter(open(0), close(5, '-30', { opened: '2' })))).toEqual([
    ['XAU/USD', 'buy', '-31', 5],
    ['XAU/USD', 'sell', '0', null],
  ])
})

test('a rule with another time counts ideas of its own', () => {
  const of = (withinS: number) => ({ withinS })
  expect(shown(ideasAfter(open(0, '-1', of(60)), open(0, '-1', of(120)), close(1, '-5', of(60))))).toEqual([
    ['XAU/USD', 'buy', '-6', 1],
    ['XAU/USD', 'buy', '-1', null],
  ])
})

test('a close without an idea, and a fill that opens nothing, start none', () => {
  expect(ideasAfter(close(0, '-5'))).toEqual([])
})
