import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { bookOf, marketOf, SYMBOL, Tape } from '../../testing/book.ts'
import type { Side } from '../market/event.ts'
import { dec, gt, lt, lte, max, min, str, sum, ZERO } from '../money/dec.ts'
import { openLevels, take } from './depth.ts'
import { restingFill } from './resting.ts'

const market = marketOf()
/** What the newest event of the tape gives an order that rests at `price`; `left` of its print. */
function given(
  tape: Tape,
  side: Side,
  price: string,
  rest: string,
  left = '0',
  book = bookOf(),
  ahead: string | null = null,
) {
  const queue = ahead === null ? null : dec(ahead)
  const fill = restingFill(side, dec(price), dec(rest), tape.last, dec(left), tape.symbol(), book, market, queue)
  return (
    fill && [str(fill.quantity), fill.from, ...fill.levels.map((l) => `${str(l.quantity)} @ ${str(l.level.price)}`)]
  )
}
const quoted = () => new Tape().quote(['100.00', '10'], ['101.00', '10'])

describe('from the book', () => {
  test('a buy fills when the ask is at its price, not one tick above; a sell mirrored', () => {
    expect(given(quoted(), 'buy', '101.00', '4')).toEqual(['4', 'book', '4 @ 101'])
    expect(given(quoted(), 'buy', '101.01', '4')).toEqual(['4', 'book', '4 @ 101'])
    expect(given(quoted(), 'buy', '100.99', '4')).toBeNull()
    expect(given(quoted(), 'sell', '100.00', '4')).toEqual(['4', 'book', '4 @ 100'])
    expect(given(quoted(), 'sell', '99.99', '4')).toEqual(['4', 'book', '4 @ 100'])
    expect(given(quoted(), 'sell', '100.01', '4')).toBeNull()
  })

  test('it fills up to the sum of what the levels at its price or better have left', () => {
    const tape = quoted().levels(
      [
        ['99.00', '20'],
        ['98.00', '30'],
      ],
      [
        ['102.00', '20'],
        ['103.00', '30'],
      ],
    )
    const book = bookOf()
    take(book, SYMBOL, 'ask', dec('102'), dec('5'), 2)
    take(book, SYMBOL, 'bid', dec('100'), dec('10'), 2)
    expect(given(tape, 'buy', '102.00', '50', '0', book)).toEqual(['25', 'book', '10 @ 101', '15 @ 102'])
    expect(given(tape, 'buy', '103.00', '50', '0', book)).toEqual(['50', 'book', '10 @ 101', '15 @ 102', '25 @ 103'])
    expect(given(tape, 'sell', '99.00', '50', '0', book)).toEqual(['20', 'book', '20 @ 99'])
  })

  test('all taken is nothing', () => {
    const book = bookOf()
    take(book, SYMBOL, 'ask', dec('101'), dec('10'), 1)
    expect(given(quoted(), 'buy', '101.00', '4', '0', book)).toBeNull()
  })
})

describe('from a print', () => {
  const printed = (price: string, size = '7') => quoted().trade(price, size)

  test('a buy fills when a trade prints below its price, neither at it nor above; a sell mirrored', () => {
    expect(given(printed('100.49'), 'buy', '100.50', '4', '7')).toEqual(['4', 'trade'])
    expect(given(printed('100.50'), 'buy', '100.50', '4', '7')).toBeNull()
    expect(given(printed('100.51'), 'buy', '100.50', '4', '7')).toBeNull()
    expect(given(printed('100.51'), 'sell', '100.50', '4', '7')).toEqual(['4', 'trade'])
    expect(given(printed('100.50'), 'sell', '100.50', '4', '7')).toBeNull()
    expect(given(printed('100.49'), 'sell', '100.50', '4', '7')).toBeNull()
  })

  test('up to what earlier orders left of it', () => {
    expect(given(printed('100.49'), 'buy', '100.50', '4', '3')).toEqual(['3', 'trade'])
    expect(given(printed('100.49'), 'buy', '100.50', '4', '0')).toBeNull()
  })

  test('at its own price only after the size ahead of it, where that is known', () => {
    const at = (price: string, ahead: string | null, left = '7') =>
      given(printed(price), 'buy', '100.50', '6', left, bookOf(), ahead)
    expect(['0', '4', '6.99', '7', '8'].map((ahead) => at('100.50', ahead)?.[0] ?? null)).toEqual([
      '6',
      '3',
      '0.01',
      null,
      null,
    ])
    expect(at('100.50', null)).toBeNull()
    // what earlier orders took of the print did not go to the queue before this one
    expect([at('100.50', '4', '5'), at('100.50', '4', '4')]).toEqual([['1', 'trade'], null])
    expect([at('100.49', '9'), at('100.51', '0')]).toEqual([['6', 'trade'], null])
    expect(given(printed('100.50'), 'sell', '100.50', '6', '7', bookOf(), '4')).toEqual(['3', 'trade'])
  })

  test('a quote is no print, whatever is left of an earlier one', () => {
    expect(given(quoted(), 'buy', '100.50', '4', '7')).toBeNull()
  })

  test('an event that is both gives the larger, not the sum; of two alike the book', () => {
    const both = (size: string) =>
      quoted().trade('99.00', size, { bid: '99.50', ask: '100.50', bid_size: '6', ask_size: '6' })
    expect(given(both('9'), 'buy', '100.50', '20', '9')).toEqual(['9', 'trade'])
    expect(given(both('6'), 'buy', '100.50', '20', '6')).toEqual(['6', 'book', '6 @ 100.5'])
    expect(given(both('5'), 'buy', '100.50', '20', '5')).toEqual(['6', 'book', '6 @ 100.5'])
    expect(given(both('9'), 'buy', '100.50', '4', '9')).toEqual(['4', 'book', '4 @ 100.5'])
  })
})

describe('always', () => {
  const ticks = fc.integer({ min: 9990, max: 10_010 }).map((n) => str({ n: BigInt(n), s: 2 }))
  const size = fc.integer({ min: 0, max: 20 }).map(String)
  const cases = fc.record({
    side: fc.constantFrom<Side>('buy', 'sell'),
    price: ticks,
    rest: fc.integer({ min: 1, max: 40 }).map(String),
    print: fc.tuple(ticks, size),
    touch: ticks,
    sizes: fc.tuple(size, size),
    deeper: size,
    quotes: fc.boolean(),
    taken: size,
  })

  test('no more than rests, from depth at its price or better less what was taken, or from a print beyond it', () => {
    fc.assert(
      fc.property(cases, ({ side, price, rest, print, touch, sizes, deeper, quotes, taken }) => {
        const opposite = side === 'buy' ? 'ask' : 'bid'
        const [at, left] = print
        const next = str({ n: dec(touch).n + (side === 'buy' ? 1n : -1n), s: dec(touch).s })
        const own = { bid: touch, ask: touch, bid_size: sizes[0], ask_size: sizes[1] }
        const tape = new Tape().quote([touch, sizes[0]], [touch, sizes[1]]).levels([[next, deeper]], [[next, deeper]])
        tape.trade(at, left, quotes ? own : {})
        const book = bookOf()
        take(book, SYMBOL, opposite, dec(touch), dec(taken), 1)
        const reachable = openLevels(tape.symbol(), opposite, book, market).filter((l) =>
          side === 'buy' ? lte(l.price, dec(price)) : lte(dec(price), l.price),
        )
        const beyond = side === 'buy' ? lt(dec(at), dec(price)) : gt(dec(at), dec(price))
        const there = max(sum(reachable.map((l) => l.open)), beyond ? dec(left) : ZERO)
        const fill = restingFill(side, dec(price), dec(rest), tape.last, dec(left), tape.symbol(), book, market)
        expect(str(fill?.quantity ?? ZERO)).toBe(str(min(dec(rest), there)))
        if (fill?.from === 'book') expect(str(sum(fill.levels.map((l) => l.quantity)))).toBe(str(fill.quantity))
        for (const { level, quantity } of fill?.levels ?? []) expect(lte(quantity, level.open)).toBe(true)
      }),
    )
  })
})
