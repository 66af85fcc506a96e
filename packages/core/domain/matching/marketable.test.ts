import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { bookOf, marketOf, SYMBOL, Tape } from '../../testing/book.ts'
import type { Market } from '../engine/compile.ts'
import type { Book } from '../engine/state.ts'
import type { Level, Side } from '../market/event.ts'
import { cmp, dec, div, gt, isMultiple, lt, lte, mul, ofInt, str, sub, sum, ZERO } from '../money/dec.ts'
import { openLevels, take } from './depth.ts'
import { type Execution, marketable } from './marketable.ts'

const limitOf = (limit: string | null) => (limit === null ? null : dec(limit))
const fills = (tape: Tape, side: Side, quantity: string, limit: string | null, market = marketOf(), book = bookOf()) =>
  marketable(side, dec(quantity), limitOf(limit), tape.symbol(), book, market).map((x) => [
    str(x.price),
    str(x.quantity),
    x.kind,
  ])
const three = () =>
  new Tape().quote(['100.00', '10'], ['101.00', '10']).levels(
    [
      ['99.00', '20'],
      ['98.00', '30'],
    ],
    [
      ['102.00', '20'],
      ['103.00', '30'],
    ],
  )

describe('levels', () => {
  test('the opposite side is taken best first, each level for no more than it has', () => {
    expect(fills(three(), 'buy', '45', null)).toEqual([
      ['101', '10', 'quote'],
      ['102', '20', 'levels'],
      ['103', '15', 'levels'],
    ])
    expect(fills(three(), 'sell', '45', null)).toEqual([
      ['100', '10', 'quote'],
      ['99', '20', 'levels'],
      ['98', '15', 'levels'],
    ])
  })

  test('an order that the first level fills goes no deeper', () => {
    expect(fills(three(), 'buy', '10', null)).toEqual([['101', '10', 'quote']])
    expect(fills(three(), 'sell', '9.5', null)).toEqual([['100', '9.5', 'quote']])
  })

  test('a limit takes the level at its price and none that is one tick worse', () => {
    expect(fills(three(), 'buy', '45', '102.00').map(([price]) => price)).toEqual(['101', '102'])
    expect(fills(three(), 'buy', '45', '101.99').map(([price]) => price)).toEqual(['101'])
    expect(fills(three(), 'buy', '45', '100.99')).toEqual([])
    expect(fills(three(), 'sell', '45', '99.00').map(([price]) => price)).toEqual(['100', '99'])
    expect(fills(three(), 'sell', '45', '99.01').map(([price]) => price)).toEqual(['100'])
    expect(fills(three(), 'sell', '45', '100.01')).toEqual([])
  })

  test('a level that is all taken is passed over, what is left of one is all it gives', () => {
    const book = bookOf()
    take(book, SYMBOL, 'ask', dec('101'), dec('10'), 2)
    take(book, SYMBOL, 'ask', dec('102'), dec('13'), 2)
    expect(fills(three(), 'buy', '9', null, marketOf(), book)).toEqual([
      ['102', '7', 'levels'],
      ['103', '2', 'levels'],
    ])
  })

  test('an execution names the event and the size of the level that made it', () => {
    const [touch, deep] = marketable('buy', dec('12'), null, three().symbol(), bookOf(), marketOf())
    expect([touch!.mseq, str(touch!.size), deep!.mseq, str(deep!.size)]).toEqual([1, '10', 2, '20'])
  })

  test('no quote, no fill', () => {
    expect(fills(new Tape().levels([['99.00', '1']], [['101.00', '1']]), 'buy', '1', null)).toEqual([])
  })
})

describe('beyond the depth that shows', () => {
  // 60 visible; 5 bps at the whole of it, 50 bps at most: ten times the visible depth
  const market = marketOf({ slippage_bps: '5', cap_bps: '50' })

  test('the rest is one fill, worse than the last level by bps x rest / visible, on the tick against the trader', () => {
    // 103 x 0.0005 x 30 / 60 = 0.02575; 98 x 0.0005 x 30 / 60 = 0.0245
    expect(fills(three(), 'buy', '90', null, market).at(-1)).toEqual(['103.03', '30', 'slippage'])
    expect(fills(three(), 'sell', '90', null, market).at(-1)).toEqual(['97.97', '30', 'slippage'])
  })

  test('it is at most visible x cap / slippage, down to the quantity step', () => {
    expect(fills(three(), 'buy', '659', null, market).at(-1)![1]).toBe('599')
    expect(fills(three(), 'buy', '660', null, market).at(-1)![1]).toBe('600')
    expect(fills(three(), 'buy', '661', null, market).at(-1)![1]).toBe('600')
    const coarse = marketOf({ slippage_bps: '7', cap_bps: '50', quantity_step: '1' })
    // 60 x 50 / 7 = 428.57
    expect(fills(three(), 'sell', '1000', null, coarse).at(-1)![1]).toBe('428')
  })

  test('a cap below one step is no fill', () => {
    const tight = marketOf({ slippage_bps: '50', cap_bps: '0.5', quantity_step: '1' })
    expect(fills(three(), 'buy', '90', null, tight)).toHaveLength(3)
  })

  test('a limit allows it up to its price and not one tick beyond', () => {
    expect(fills(three(), 'buy', '90', '103.03', market)).toHaveLength(4)
    expect(fills(three(), 'buy', '90', '103.02', market)).toHaveLength(3)
    expect(fills(three(), 'sell', '90', '97.97', market)).toHaveLength(4)
    expect(fills(three(), 'sell', '90', '97.98', market)).toHaveLength(3)
  })

  test('without slippage bps there is no such fill, nor is there one for an order that the levels fill', () => {
    expect(fills(three(), 'buy', '90', null)).toHaveLength(3)
    expect(fills(three(), 'buy', '60', null, market)).toHaveLength(3)
  })

  test('visible depth is what this order found untaken; when all is taken nothing fills', () => {
    const book = bookOf()
    take(book, SYMBOL, 'ask', dec('102'), dec('20'), 2)
    take(book, SYMBOL, 'ask', dec('103'), dec('20'), 2)
    // 20 visible: 103 x 0.0005 x 30 / 20 = 0.07725
    expect(fills(three(), 'buy', '50', null, market, book).at(-1)).toEqual(['103.08', '30', 'slippage'])
    take(book, SYMBOL, 'ask', dec('101'), dec('10'), 2)
    take(book, SYMBOL, 'ask', dec('103'), dec('10'), 2)
    expect(fills(three(), 'buy', '50', null, market, book)).toEqual([])
  })

  test('a price that is exactly on the tick stays there', () => {
    const tape = new Tape().quote(['100.00', '10'], ['100.00', '10'])
    const tenth = marketOf({ slippage_bps: '10', cap_bps: '100' })
    expect(fills(tape, 'buy', '20', null, tenth).at(-1)).toEqual(['100.1', '10', 'slippage'])
    expect(fills(tape, 'sell', '20', null, tenth).at(-1)).toEqual(['99.9', '10', 'slippage'])
  })

  test('an outcome is bought at no price above 1: what would slip beyond it does not trade', () => {
    const tape = new Tape().quote(['0.98', '10'], ['0.99', '10'])
    const outcome = marketOf({ kind: 'outcome', slippage_bps: '200', cap_bps: '200' })
    expect(fills(tape, 'buy', '15', null, outcome).at(-1)).toEqual(['1', '5', 'slippage'])
    expect(fills(tape, 'buy', '20', null, outcome)).toEqual([['0.99', '10', 'quote']])
    expect(fills(tape, 'buy', '20', null, marketOf({ slippage_bps: '200', cap_bps: '200' }))).toHaveLength(2)
  })
  test('nothing is sold at nothing: a price that slips to zero or below does not trade', () => {
    const penny = new Tape().quote(['0.01', '10'], ['0.02', '10'])
    const steep = marketOf({ slippage_bps: '1', cap_bps: '50' })
    expect(fills(penny, 'sell', '20', null, steep)).toEqual([['0.01', '10', 'quote']])
    const two = new Tape().quote(['0.02', '10'], ['0.03', '10'])
    expect(fills(two, 'sell', '20', null, steep).at(-1)).toEqual(['0.01', '10', 'slippage'])
  })

  test('it names the last level and what was visible', () => {
    const last = marketable('buy', dec('90'), null, three().symbol(), bookOf(), market).at(-1)!
    expect([last.mseq, str(last.size)]).toEqual([2, '60'])
  })

  test('a mark-up is in the price that trades and in the limit, not in the price of the source', () => {
    const dear = marketOf({ slippage_bps: '5', cap_bps: '50', spread_markup_ticks: '2' })
    const prices = (side: Side, limit: string | null = null) =>
      marketable(side, dec('90'), limitOf(limit), three().symbol(), bookOf(), dear).map((x) => [
        str(x.price),
        str(x.raw),
      ])
    // 103.02 x 0.0005 x 30 / 60 = 0.025755; 97.98 x 0.0005 x 30 / 60 = 0.024495
    expect(prices('buy')).toEqual([
      ['101.02', '101'],
      ['102.02', '102'],
      ['103.02', '103'],
      ['103.05', '103.03'],
    ])
    expect(prices('sell').at(0)).toEqual(['99.98', '100'])
    expect(prices('sell').at(-1)).toEqual(['97.95', '97.97'])
    expect([prices('buy', '102.01').length, prices('buy', '102.02').length]).toEqual([1, 2])
  })
})

// ---- properties -------------------------------------------------------------------------------------------------
/** A book of up to five levels a side around 100.00, in ticks of 0.01. */
const size = fc.integer({ min: 0, max: 30 }).map(String)
const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), size), { maxLength: 4 })
const priced = (ticks: number): string => str({ n: BigInt(ticks), s: 2 })
const down = (from: number, sign: 1 | -1, list: [number, string][]): Level[] => {
  let at = from
  return list.map(([step, z]) => {
    at += sign * step
    return [priced(at), z] as const
  })
}
const books = fc
  .record({
    bid: fc.integer({ min: 9990, max: 10_000 }),
    spread: fc.integer({ min: 0, max: 5 }),
    bidSize: size,
    askSize: size,
    bids: steps,
    asks: steps,
  })
  .map(({ bid, spread, bidSize, askSize, bids, asks }) =>
    new Tape()
      .quote([priced(bid), bidSize], [priced(bid + spread), askSize])
      .levels(down(bid, -1, bids), down(bid + spread, 1, asks)),
  )
const orders = fc.record({
  side: fc.constantFrom<Side>('buy', 'sell'),
  quantity: fc.integer({ min: 1, max: 200 }).map(String),
  limit: fc.option(fc.integer({ min: 9980, max: 10_020 }).map(priced)),
})
const markets = fc
  .record({ slippage_bps: fc.constantFrom('0', '1', '7', '50'), cap_bps: fc.constantFrom('10', '50') })
  .map((more) => marketOf(more))

const worse = (side: Side, a: Execution['price'], b: Execution['price']): boolean =>
  side === 'buy' ? gt(a, b) : lt(a, b)
const opposite = (side: Side) => (side === 'buy' ? 'ask' : 'bid')
function takeAll(executions: Execution[], side: Side, book: Book): void {
  for (const x of executions) if (x.kind !== 'slippage') take(book, SYMBOL, opposite(side), x.price, x.quantity, x.mseq)
}

describe('always', () => {
  test('a taker never fills more than ordered, never better than the touch, never worse than its limit', () => {
    fc.assert(
      fc.property(books, orders, markets, (tape, { side, quantity, limit }, market) => {
        const got = marketable(side, dec(quantity), limitOf(limit), tape.symbol(), bookOf(), market)
        expect(lte(sum(got.map((x) => x.quantity)), dec(quantity))).toBe(true)
        const touch = tape.symbol().quote![opposite(side)].price
        let before = touch
        for (const x of got) {
          expect(gt(x.quantity, ZERO)).toBe(true)
          expect(worse(side, before, x.price)).toBe(false)
          if (limit !== null) expect(worse(side, x.price, dec(limit))).toBe(false)
          expect(isMultiple(x.price, market.tick)).toBe(true)
          before = x.price
        }
      }),
    )
  })

  test('no depth is used twice, however many orders come', () => {
    fc.assert(
      fc.property(books, fc.array(orders, { minLength: 2, maxLength: 6 }), markets, (tape, list, market) => {
        const book = bookOf()
        const before = {
          ask: openLevels(tape.symbol(), 'ask', book, market),
          bid: openLevels(tape.symbol(), 'bid', book, market),
        }
        for (const { side, quantity, limit } of list)
          takeAll(marketable(side, dec(quantity), limitOf(limit), tape.symbol(), book, market), side, book)
        for (const { side, price, size: taken } of book.taken) {
          const level = before[side].find((l) => cmp(l.price, price) === 0)!
          expect(lte(taken, level.size)).toBe(true)
        }
      }),
    )
  })

  test('what a limit leaves is beyond it: depth at its price or better is used up first', () => {
    fc.assert(
      fc.property(books, orders, (tape, { side, quantity, limit }) => {
        const market = marketOf()
        const got = marketable(side, dec(quantity), limitOf(limit), tape.symbol(), bookOf(), market)
        const reachable = openLevels(tape.symbol(), opposite(side), bookOf(), market).filter(
          (l) => limit === null || !worse(side, l.price, dec(limit)),
        )
        const there = sum(reachable.map((l) => l.open))
        const filled = sum(got.map((x) => x.quantity))
        expect(str(filled)).toBe(str(lte(there, dec(quantity)) ? there : dec(quantity)))
      }),
    )
  })

  test('the slipped fill keeps to the cap and moves the price by its formula, less than a tick off', () => {
    fc.assert(
      fc.property(books, orders, markets, (tape, { side, quantity }, market) => {
        const got = marketable(side, dec(quantity), null, tape.symbol(), bookOf(), market)
        const slip = got.find((x) => x.kind === 'slippage')
        if (!slip) return
        const levels = openLevels(tape.symbol(), opposite(side), bookOf(), market)
        const visible = sum(levels.map((l) => l.open))
        expect(lte(mul(slip.quantity, market.slippageBps), mul(visible, market.capBps))).toBe(true)
        expect(isMultiple(slip.quantity, market.step)).toBe(true)
        expectMoved(side, slip, levels.at(-1)!.price, visible, market)
      }),
    )
  })

  test('bought on a book and sold on its mirror image are the same', () => {
    fc.assert(
      fc.property(books, orders, (tape, { quantity, limit }) => {
        const turn = (price: string): string => str(sub(dec('200'), dec(price)))
        const { quote, bids, asks } = tape.symbol()
        const flip = (levels: typeof bids): Level[] => levels.map((l) => [turn(str(l.price)), str(l.size!)] as const)
        const mirror = new Tape()
          .quote(
            [turn(str(quote!.ask.price)), str(quote!.ask.size!)],
            [turn(str(quote!.bid.price)), str(quote!.bid.size!)],
          )
          .levels(flip(asks), flip(bids))
        const sold = fills(mirror, 'sell', quantity, limit && turn(limit)).map(([p, q, k]) => [turn(p!), q!, k!])
        expect(fills(tape, 'buy', quantity, limit)).toEqual(sold)
      }),
    )
  })
})

/** last x (1 +/- bps / 10^4 x quantity / visible), then on the tick against the trader: by less than one tick. */
function expectMoved(
  side: Side,
  slip: Execution,
  last: Execution['price'],
  visible: Execution['size'],
  market: Market,
): void {
  const moved = div(mul(mul(last, market.slippageBps), slip.quantity), mul(visible, ofInt(10_000)))
  const off = side === 'buy' ? sub(sub(slip.price, last), moved) : sub(sub(last, slip.price), moved)
  expect(lt(off, ZERO)).toBe(false)
  expect(lt(off, market.tick)).toBe(true)
}
