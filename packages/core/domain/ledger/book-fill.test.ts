import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { bookOf, marketOf, SYMBOL, Tape } from '../../testing/book.ts'
import type { Market } from '../engine/compile.ts'
import type { Book } from '../engine/state.ts'
import type { QuoteOf } from '../instruments/convert.ts'
import type { Instrument } from '../instruments/instrument.ts'
import type { Side } from '../market/event.ts'
import { add, type Dec, dec, eq, isZero, mul, neg, str, sub, sum, ZERO } from '../money/dec.ts'
import { bookFill, type FillEffect, transfer } from './book-fill.ts'

const none: QuoteOf = () => null
interface Account {
  book: Book
  market: Market
  scale: number
  quoteOf: QuoteOf
}
const accountOf = (more: Partial<Instrument> = {}, rest: Partial<Account> = {}): Account => ({
  book: bookOf(),
  market: marketOf(more),
  scale: 2,
  quoteOf: none,
  ...rest,
})
interface Trade {
  side: Side
  quantity: string
  price: string
  liquidity?: 'maker' | 'taker'
  order?: string
  ticket?: string
  day?: number
  at?: number
}
function fill({ book, market, scale, quoteOf }: Account, trade: Trade): FillEffect {
  const { side, quantity, price, liquidity = 'taker', order = 'o1', ticket, day = 0, at = 1000 } = trade
  const input = { order, side, quantity: dec(quantity), price: dec(price), liquidity, ticket, day, at }
  return bookFill(book, market, input, scale, quoteOf)
}
const buy = (account: Account, quantity: string, price: string, more: Partial<Trade> = {}) =>
  fill(account, { side: 'buy', quantity, price, ...more })
const sell = (account: Account, quantity: string, price: string, more: Partial<Trade> = {}) =>
  fill(account, { side: 'sell', quantity, price, ...more })
const held = ({ book }: Account) => book.positions.map((p) => [p.symbol, str(p.quantity), str(p.cost)])

describe('netting', () => {
  test('opening and adding sum quantity and total cost; nothing is booked', () => {
    const long = accountOf()
    expect(buy(long, '2', '100')).toMatchObject({ result: null, fee: null, postings: [], opened: true })
    expect(buy(long, '3', '110')).toMatchObject({ result: null, opened: true, closedSameDay: false })
    expect(held(long)).toEqual([[SYMBOL, '5', '530']])
    const short = accountOf()
    sell(short, '2', '100')
    expect(sell(short, '3', '110').opened).toBe(true)
    expect(held(short)).toEqual([[SYMBOL, '-5', '-530']])
    expect([str(long.book.balance), str(short.book.balance)]).toEqual(['100000', '100000'])
  })

  test('a reduction releases cost pro rata and books the result of what it closed', () => {
    const long = accountOf()
    buy(long, '4', '100')
    expect(sell(long, '1', '112')).toMatchObject({
      result: { amount: '12', booked: '12' },
      position: { quantity: '3', cost: '300' },
      opened: false,
    })
    const short = accountOf()
    sell(short, '4', '100')
    expect(buy(short, '1', '112')).toMatchObject({
      result: { amount: '-12', booked: '-12' },
      position: { quantity: '-3', cost: '-300' },
      opened: false,
    })
    expect([str(long.book.balance), str(short.book.balance)]).toEqual(['100012', '99988'])
  })

  test('pro rata is half-even at 18 places, and the last reduction releases all that is left', () => {
    const account = accountOf()
    buy(account, '3', '100')
    buy(account, '4', '100.01')
    // 700.04 / 7 = 100.005714285714285714|28...
    expect(sell(account, '1', '100').position).toEqual({
      id: 'o1',
      quantity: '6',
      cost: '600.034285714285714286',
    })
    sell(account, '5', '100')
    expect(held(account)).toEqual([[SYMBOL, '1', '100.005714285714285714']])
    expect(sell(account, '1', '100')).toMatchObject({
      result: { amount: '-0.005714285714285714', booked: '-0.01' },
      position: { quantity: '0', cost: '0' },
      opened: false,
    })
    expect(account.book.positions).toEqual([])
  })

  test('a reversal is close and open in one fill: all cost is released, the rest costs the new price', () => {
    const long = accountOf({ commission: { bps: '10' } })
    buy(long, '2', '100')
    expect(sell(long, '5', '110', { order: 'o2', day: 3, at: 9000 })).toMatchObject({
      result: { amount: '20' },
      // one fee, on the whole of it
      fee: { amount: '-0.55' },
      position: { id: 'o2', quantity: '-3', cost: '-330' },
      opened: true,
    })
    expect(long.book.positions[0]).toMatchObject({ id: 'o2', openedAt: 9000, openedDay: 3 })
    expect(buy(long, '4', '100')).toMatchObject({
      result: { amount: '30' },
      position: { quantity: '1', cost: '100' },
      opened: true,
    })
  })

  test('closing to the last unit is no opening; one unit more is', () => {
    for (const [quantity, opened, left] of [
      ['2.99', false, '0.01'],
      ['3', false, '0'],
      ['3.01', true, '-0.01'],
    ] as const) {
      const account = accountOf()
      buy(account, '3', '100')
      expect(sell(account, quantity, '100')).toMatchObject({ opened, position: { quantity: left } })
    }
  })

  test('a position keeps the instant, day and name of its opening until it is reversed', () => {
    const account = accountOf()
    buy(account, '3', '100', { order: 'o1', at: 1, day: 1 })
    buy(account, '3', '100', { order: 'o2', at: 2, day: 2 })
    expect(sell(account, '1', '100', { order: 'o3', at: 3, day: 3 }).position.id).toBe('o1')
    expect(account.book.positions[0]).toMatchObject({ id: 'o1', openedAt: 1, openedDay: 1 })
  })

  test('a close counts for the day only when the position was opened that day', () => {
    const account = accountOf()
    buy(account, '3', '100', { day: 4 })
    expect(buy(account, '1', '100', { day: 5 }).closedSameDay).toBe(false)
    expect(sell(account, '1', '100', { day: 5 }).closedSameDay).toBe(false)
    expect(sell(account, '1', '100', { day: 4 }).closedSameDay).toBe(true)
  })

  test('symbols do not meet: the second position is found and left as well as the first', () => {
    const first = accountOf()
    const second = accountOf({ symbol: 'XXX/USD' }, { book: first.book })
    const third = accountOf({ symbol: 'YYY/USD' }, { book: first.book })
    buy(first, '1', '100')
    sell(second, '2', '100')
    buy(third, '3', '100')
    expect(buy(second, '1', '99').result!.amount).toBe('1')
    sell(first, '1', '100')
    expect(held(first).map(([symbol, quantity]) => [symbol, quantity])).toEqual([
      ['XXX/USD', '-1'],
      ['YYY/USD', '3'],
    ])
  })

  test('the contract size is in cost, result and notional', () => {
    const account = accountOf({ contract_size: '100', commission: { bps: '10' } })
    expect(buy(account, '2', '5')).toMatchObject({ position: { cost: '1000' }, fee: { amount: '-1' } })
    expect(sell(account, '3', '6')).toMatchObject({
      result: { amount: '200' },
      fee: { amount: '-1.8' },
      position: { quantity: '-1', cost: '-600' },
    })
  })
})

describe('hedging', () => {
  const tickets = ({ book }: Account) => book.positions.map((p) => [p.id, str(p.quantity), str(p.cost)])
  test('one ticket per entry order: sides stand beside each other and nothing is closed', () => {
    const account = accountOf()
    expect(buy(account, '2', '100', { order: 'o1', ticket: 'o1' })).toMatchObject({ result: null, opened: true })
    expect(sell(account, '3', '110', { order: 'o2', ticket: 'o2' })).toMatchObject({
      result: null,
      opened: true,
      position: { id: 'o2', quantity: '-3', cost: '-330' },
    })
    expect(buy(account, '1', '104', { order: 'o1', ticket: 'o1' }).position).toEqual({
      id: 'o1',
      quantity: '3',
      cost: '304',
    })
    expect(tickets(account)).toEqual([
      ['o1', '3', '304'],
      ['o2', '-3', '-330'],
    ])
  })

  test('a ticket is closed by its own name, whichever order closes it, and the others stay', () => {
    const account = accountOf()
    buy(account, '2', '100', { order: 'o1', ticket: 'o1' })
    sell(account, '3', '110', { order: 'o2', ticket: 'o2' })
    buy(account, '4', '120', { order: 'o3', ticket: 'o3' })
    expect(buy(account, '1', '105', { order: 'o4', ticket: 'o2' })).toMatchObject({
      result: { amount: '5' },
      opened: false,
      position: { id: 'o2', quantity: '-2', cost: '-220' },
    })
    sell(account, '2', '101', { order: 'o5', ticket: 'o1' })
    expect(tickets(account).map(([id]) => id)).toEqual(['o2', 'o3'])
    expect(str(account.book.balance)).toBe('100007')
  })
})

describe('fees', () => {
  test("an outcome's taker pays shares x rate x p x (1 - p), its maker nothing of it", () => {
    const outcome = { kind: 'outcome' as const, commission: { bps: '10', probability_rate: '0.05' } }
    const fee = (price: string, liquidity: 'maker' | 'taker') =>
      buy(accountOf(outcome), '100', price, { liquidity }).fee!.amount
    // 100 x 0.4 x 0.001 = 0.04, and 100 x 0.05 x 0.4 x 0.6 = 1.2
    expect([fee('0.4', 'taker'), fee('0.4', 'maker')]).toEqual(['-1.24', '-0.04'])
    expect(fee('0.6', 'taker')).toBe('-1.26')
  })

  test('basis points of notional for maker and taker, and a sum per lot', () => {
    const commission = { maker_bps: '1', taker_bps: '3', per_lot: '0.5' }
    const fee = (liquidity: 'maker' | 'taker') => buy(accountOf({ commission }), '4', '100', { liquidity }).fee!.amount
    expect([fee('maker'), fee('taker')]).toEqual(['-2.04', '-2.12'])
  })

  test('they are paid on the way in and out, whatever the side', () => {
    const account = accountOf({ commission: { bps: '10' } })
    sell(account, '1', '1000')
    buy(account, '1', '1000')
    expect(str(account.book.balance)).toBe('99998')
  })

  test('a fee and a result are each rounded once, half-even, to the ledger scale', () => {
    const account = accountOf({ commission: { bps: '1' } })
    // 0.005 and 0.015: half goes to the even cent
    expect(buy(account, '1', '50').fee).toMatchObject({ amount: '-0.005', booked: '0' })
    expect(buy(account, '3', '50').fee).toMatchObject({ amount: '-0.015', booked: '-0.02' })
    expect(str(account.book.balance)).toBe('99999.98')
    expect(sell(account, '1', '50.125')).toMatchObject({ result: { booked: '0.12' }, fee: { booked: '-0.01' } })
  })

  test('what rounds to nothing is named and posts nothing', () => {
    const effect = buy(accountOf({ commission: { bps: '1' } }), '1', '50')
    expect(effect).toMatchObject({ fee: { amount: '-0.005', booked: '0', currency: 'USD' }, postings: [] })
  })
})

describe('currency', () => {
  test('a loss converts at the side that costs more, a gain at the one that gives less', () => {
    const tape = new Tape().quote(['150.00'], ['150.02'], 'USD/JPY')
    const eurjpy = {
      symbol: 'EUR/JPY',
      price_tick: '0.001',
      conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] },
    }
    const account = accountOf(eurjpy, { quoteOf: (symbol) => tape.view.symbol(symbol)?.quote ?? null })
    buy(account, '1000', '160.000')
    expect(sell(account, '500', '161.000').result).toEqual({
      amount: '500',
      currency: 'JPY',
      rate: '/150.02',
      rate_mseq: [1],
      booked: '3.33',
    })
    expect(sell(account, '500', '159.000').result).toMatchObject({ amount: '-500', rate: '/150', booked: '-3.33' })
  })

  test('a fill without a rate is an error, never booked at another one', () => {
    const eurjpy = {
      symbol: 'EUR/JPY',
      commission: { bps: '1' },
      conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] },
    }
    expect(() => buy(accountOf(eurjpy), '1', '160')).toThrow('no rate for EUR/JPY')
  })
})

describe('postings', () => {
  test('a transfer is what the trader gets and what the house gives; nothing is no posting', () => {
    expect(transfer(dec('1.5'), 'trading')).toEqual([
      { ledger: 'account:cash', amount: '1.5' },
      { ledger: 'house:trading', amount: '-1.5' },
    ])
    expect(transfer(dec('-1.5'), 'commission')).toEqual([
      { ledger: 'account:cash', amount: '-1.5' },
      { ledger: 'house:commission', amount: '1.5' },
    ])
    expect(transfer(ZERO, 'trading')).toEqual([])
  })

  test('results move between cash and trading, fees between cash and commission', () => {
    const account = accountOf({ commission: { bps: '10' } })
    buy(account, '1', '100')
    expect(sell(account, '1', '110').postings).toEqual([
      { ledger: 'account:cash', amount: '10' },
      { ledger: 'house:trading', amount: '-10' },
      { ledger: 'account:cash', amount: '-0.11' },
      { ledger: 'house:commission', amount: '0.11' },
    ])
  })
})

// ---- properties -------------------------------------------------------------------------------------------------
const trades = fc.array(
  fc.record({
    side: fc.constantFrom<Side>('buy', 'sell'),
    quantity: fc.integer({ min: 1, max: 30 }).map(String),
    price: fc.integer({ min: 9000, max: 11_000 }).map((n) => str({ n: BigInt(n), s: 2 })),
    liquidity: fc.constantFrom('maker' as const, 'taker' as const),
  }),
  { minLength: 1, maxLength: 12 },
)
const costly = () => accountOf({ commission: { maker_bps: '0.7', taker_bps: '3.3', per_lot: '0.013' } })
const amountsOf = (list: { amount: string }[]): Dec => sum(list.map(({ amount }) => dec(amount)))
const signedOf = ({ side, quantity }: { side: Side; quantity: string }): Dec =>
  side === 'buy' ? dec(quantity) : neg(dec(quantity))

describe('always', () => {
  test('cash and house are zero after every fill, and the balance is what cash was given', () => {
    fc.assert(
      fc.property(trades, (list) => {
        const account = costly()
        let cash = account.book.balance
        for (const trade of list) {
          const { postings } = fill(account, trade)
          expect(isZero(amountsOf(postings))).toBe(true)
          cash = add(cash, amountsOf(postings.filter(({ ledger }) => ledger === 'account:cash')))
          expect(str(account.book.balance)).toBe(str(cash))
        }
      }),
    )
  })

  test('the position is the sum of the fills, and stands only while that is not zero', () => {
    fc.assert(
      fc.property(trades, (list) => {
        const account = costly()
        let net = ZERO
        for (const trade of list) {
          net = add(net, signedOf(trade))
          expect(fill(account, trade).position.quantity).toBe(str(net))
          expect(account.book.positions.map((p) => str(p.quantity))).toEqual(isZero(net) ? [] : [str(net)])
        }
      }),
    )
  })

  test('cost has the sign of the position, and no result is made or lost: they sum to what was paid and what is held', () => {
    fc.assert(
      fc.property(trades, (list) => {
        const account = costly()
        let results = ZERO
        let paid = ZERO
        for (const trade of list) {
          const { result } = fill(account, trade)
          results = add(results, result ? dec(result.amount) : ZERO)
          paid = add(paid, mul(signedOf(trade), dec(trade.price)))
          const [position] = account.book.positions
          const cost = position?.cost ?? ZERO
          if (position) expect(cost.n > 0n).toBe(position.quantity.n > 0n)
          expect(eq(results, sub(cost, paid))).toBe(true)
        }
      }),
    )
  })

  test('a fee is only ever paid, for what was traded alone', () => {
    fc.assert(
      fc.property(trades, (list) => {
        const account = costly()
        for (const trade of list) {
          const { fee } = fill(account, trade)
          const alone = fill(costly(), trade).fee
          expect(fee).toEqual(alone)
          expect(dec(fee!.amount).n < 0n).toBe(true)
        }
      }),
    )
  })
})
