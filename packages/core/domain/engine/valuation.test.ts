import { expect, test } from 'bun:test'
import { orderOf } from '../../testing/request.ts'
import { instrument, spec } from '../../testing/world.ts'
import type { Instrument } from '../instruments/instrument.ts'
import type { MarketEvent } from '../market/event.ts'
import { dec, lt, str, sub, toNumber } from '../money/dec.ts'
import { compileSpec } from './compile.ts'
import { type Book, newAccount, type Order } from './state.ts'
import type { AccountSpec } from './types.ts'
import {
  addingQuantities,
  equityOf,
  marginRoom,
  mostReserved,
  quotesOf,
  reservedMargin,
  usedMargin,
} from './valuation.ts'
import { MarketView } from './view.ts'

type Held = [symbol: string, quantity: string, cost?: string]
const bookOf = (...positions: Held[]): Book => ({
  ...newAccount('a').book,
  balance: dec('1000'),
  positions: positions.map(([symbol, quantity, cost = '0'], i) => ({
    id: `p${i}`,
    symbol,
    quantity: dec(quantity),
    cost: dec(cost),
    openedAt: 0,
    openedDay: 0,
  })),
})
function market(more: Partial<AccountSpec>, quotes: [symbol: string, bid: string, ask: string][]) {
  const view = new MarketView()
  quotes.forEach(([symbol, bid, ask], i) => {
    view.apply({ kind: 'quote', symbol, bid, ask, venue: 't', ts: 1, pos: 1, mseq: i + 1, mts: 1 } as MarketEvent)
  })
  return { compiled: compileSpec(spec([], { leverage: '10', ...more })), quoteOf: quotesOf(view) }
}
const only = (more: Partial<Instrument>, account: Partial<AccountSpec> = {}) =>
  market({ instruments: [instrument('TST/USD', more)], ...account }, [['TST/USD', '100', '102']])
const OUTCOME: Partial<Instrument> = { kind: 'outcome', price_tick: '0.01' }
const outcome = (account: Partial<AccountSpec> = {}) =>
  market({ instruments: [instrument('TST/USD', OUTCOME)], ...account }, [['TST/USD', '0.60', '0.64']])
let ids = 0
type Asked = Omit<Partial<Parameters<typeof orderOf>[0]>, 'price'> & { price?: string | null }
const order = ({ price = '100', quantity = '1', ...rest }: Asked): Order =>
  orderOf({ id: `o${ids++}`, type: 'limit', ...rest, quantity, ...(price === null ? {} : { price }) })

test('a mark-up moves the mark of both sides against the account, and the margin with it', () => {
  const { compiled, quoteOf } = only({ spread_markup_ticks: '50' })
  expect(str(equityOf(bookOf(['TST/USD', '2', '200']), compiled, quoteOf))).toBe('999')
  expect(str(equityOf(bookOf(['TST/USD', '-2', '-200']), compiled, quoteOf))).toBe('995')
  expect(str(usedMargin(bookOf(['TST/USD', '2']), compiled, quoteOf))).toBe('19.9')
  expect(str(usedMargin(bookOf(['TST/USD', '-2']), compiled, quoteOf))).toBe('20.5')
})
test('a mark-up does not touch what converts', () => {
  const { compiled, quoteOf } = market(
    {
      instruments: [
        instrument('TST/EUR', { conversions: { USD: [{ symbol: 'EUR/USD', direct: true }] } }),
        instrument('EUR/USD', { spread_markup_ticks: '50' }),
      ],
    },
    [
      ['TST/EUR', '100', '102'],
      ['EUR/USD', '1.1', '1.2'],
    ],
  )
  expect(str(equityOf(bookOf(['TST/EUR', '1', '90']), compiled, quoteOf))).toBe('1011')
})
test('used margin is quantity x contract x mark x rate, or through the leverage where that asks for more', () => {
  const held = bookOf(['TST/USD', '3'])
  const byLeverage = only({ contract_size: '10' })
  expect(str(usedMargin(held, byLeverage.compiled, byLeverage.quoteOf))).toBe('300')
  const byRate = only({ contract_size: '10', margin_rate: '0.5' })
  expect(str(usedMargin(held, byRate.compiled, byRate.quoteOf))).toBe('1500')
})
test('margin converts as a debit, through the side that costs more', () => {
  const { compiled, quoteOf } = market(
    {
      instruments: [instrument('TST/EUR', { conversions: { USD: [{ symbol: 'EUR/USD', direct: true }] } })],
    },
    [
      ['TST/EUR', '100', '102'],
      ['EUR/USD', '1.1', '1.2'],
    ],
  )
  expect(str(usedMargin(bookOf(['TST/EUR', '1']), compiled, quoteOf))).toBe('12')
  expect(str(usedMargin(bookOf(['TST/EUR', '-1']), compiled, quoteOf))).toBe('12.24')
})
test('a hedge needs the margin of its larger side only, each symbol on its own', () => {
  const { compiled, quoteOf } = market(
    { position_mode: 'hedging', instruments: [instrument('A/USD'), instrument('B/USD')] },
    [
      ['A/USD', '100', '102'],
      ['B/USD', '50', '50'],
    ],
  )
  const used = (...held: Held[]) => str(usedMargin(bookOf(...held), compiled, quoteOf))
  expect(used(['A/USD', '2'], ['A/USD', '1'], ['A/USD', '-1'])).toBe('30')
  expect(used(['A/USD', '2'], ['A/USD', '-3'])).toBe('30.6')
  // as many each way: the ask is dearer
  expect(used(['A/USD', '2'], ['A/USD', '-2'])).toBe('20.4')
  expect(used(['A/USD', '2'], ['B/USD', '-2'])).toBe('30')
})
test('an outcome contract is paid in full whatever the leverage: p x q long, (1 - p) x q short', () => {
  const { compiled, quoteOf } = outcome({ leverage: '100' })
  expect(str(usedMargin(bookOf(['TST/USD', '50']), compiled, quoteOf))).toBe('30')
  expect(str(usedMargin(bookOf(['TST/USD', '-50']), compiled, quoteOf))).toBe('18')
  const reserved = (side: 'buy' | 'sell') =>
    str(reservedMargin([order({ side, price: '0.7', quantity: '10' })], bookOf(), compiled, quoteOf))
  expect([reserved('buy'), reserved('sell')]).toEqual(['7', '3'])
})
test.each<[string, Asked, string]>([
  ['a limit', {}, '10'],
  ['its unfilled part', { quantity: '5', filled: '2' }, '30'],
  ['a stop at its stop', { type: 'stop', price: null, stop: '110' }, '11'],
  ['a stop-limit at its limit', { type: 'stop_limit', price: '120', stop: '110' }, '12'],
  ['a trailing stop at its stop', { type: 'trailing_stop', price: null, stop: '130' }, '13'],
  [
    'one that waits for its activation at that',
    {
      type: 'trailing_stop',
      price: null,
      trailing: { offset: dec('1'), share: null, activation: dec('90'), best: null },
    },
    '9',
  ],
  ['a pending limit', { arrivesAt: 5 }, '10'],
  ['a pending market order at the touch it would take', { type: 'market', price: null, arrivesAt: 5 }, '10.2'],
  ['a reduce-only one nothing', { reduceOnly: true }, '0'],
])('an order that adds exposure reserves its margin: %s', (_, more, expected) => {
  const { compiled, quoteOf } = only({})
  expect(str(reservedMargin([order(more)], bookOf(), compiled, quoteOf))).toBe(expected)
})
test('the bound that spares the count is never below what orders reserve, in every currency, pair and kind', () => {
  const instruments = [
    instrument('TST/USD', { contract_size: '100', margin_rate: '0.3', spread_markup_ticks: '3' }),
    instrument('OUT/USD', OUTCOME),
    instrument('A/JPY', { conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] } }),
    instrument('A/EUR', { conversions: { USD: [{ symbol: 'EUR/USD', direct: true }] } }),
    instrument('USD/JPY'),
    instrument('EUR/USD'),
  ]
  const { compiled, quoteOf } = market({ instruments, leverage: '30' }, [
    ['TST/USD', '99.90', '100.10'],
    ['OUT/USD', '0.60', '0.64'],
    ['A/JPY', '9000', '9003'],
    ['A/EUR', '80', '80.07'],
    ['USD/JPY', '149.90', '150.10'],
    ['EUR/USD', '1.0999', '1.1003'],
  ])
  for (const symbol of ['TST/USD', 'OUT/USD', 'A/JPY', 'A/EUR'])
    for (const side of ['buy', 'sell'] as const)
      for (const type of ['market', 'limit'] as const) {
        const price = type === 'market' ? null : symbol === 'OUT/USD' ? '0.13' : '97.531'
        const id = `${symbol}${side}${type}`
        const legs = [
          order({ id, symbol, side, type, price, quantity: '7.77', oco: `${id}.stop` }),
          order({ id: `${id}.stop`, symbol, side, type, price, quantity: '7.77', oco: id }),
        ]
        for (const orders of [legs.slice(0, 1), legs]) {
          const exact = toNumber(reservedMargin(orders, bookOf(), compiled, quoteOf))
          expect(exact).toBeGreaterThan(0)
          expect(mostReserved(orders, compiled, quoteOf)).toBeGreaterThanOrEqual(exact * (1 - 1e-12))
        }
      }
  const unpriced = order({ symbol: 'TST/USD', type: 'market', price: null })
  expect(mostReserved([unpriced], compiled, () => null)).toBe(Number.POSITIVE_INFINITY)
  expect(mostReserved([order({ symbol: 'A/JPY' })], compiled, () => null)).toBe(Number.POSITIVE_INFINITY)
})
test('a pair reserves its larger leg, whichever came first', () => {
  const { compiled, quoteOf } = only({})
  const limit = order({ id: 'o1', price: '95', oco: 'o1.stop' })
  const stop = order({ id: 'o1.stop', type: 'stop', price: null, stop: '105', oco: 'o1' })
  for (const legs of [
    [limit, stop],
    [stop, limit],
  ])
    expect(str(reservedMargin(legs, bookOf(), compiled, quoteOf))).toBe('10.5')
  expect(str(reservedMargin([limit, order({ price: '100' }), stop], bookOf(), compiled, quoteOf))).toBe('20.5')
})
test('what opposes the position adds nothing until it is used up, in order of arrival; a pair uses it up once', () => {
  const held = bookOf(['TST/USD', '5'])
  const first = order({ side: 'sell', quantity: '3' })
  const limit = order({ id: 'l', side: 'sell', quantity: '4', oco: 's' })
  const stop = order({ id: 's', side: 'sell', type: 'stop', quantity: '4', oco: 'l' })
  const last = order({ side: 'sell', quantity: '1' })
  const adding = addingQuantities([first, limit, stop, last], held)
  expect([first, limit, stop, last].map((o) => str(adding.get(o.id)!))).toEqual(['0', '2', '2', '1'])
})
test('reduce-only orders use up nothing: a plain closing order beside protective ones is free', () => {
  const held = bookOf(['TST/USD', '5'])
  const protective = order({ side: 'sell', quantity: '5', reduceOnly: true })
  const closing = order({ side: 'sell', quantity: '5' })
  expect(str(addingQuantities([protective, closing], held).get(closing.id)!)).toBe('0')
})
test('in a hedging account an order opens a ticket of its own, one with a ticket reduces it', () => {
  const { compiled, quoteOf } = only({}, { position_mode: 'hedging' })
  const held = bookOf(['TST/USD', '5'])
  expect(str(reservedMargin([order({ side: 'sell', quantity: '5' })], held, compiled, quoteOf))).toBe('50')
  const closing = order({ side: 'sell', quantity: '5', position: 'p0', reduceOnly: true })
  expect(str(reservedMargin([closing], held, compiled, quoteOf))).toBe('0')
})
test("the positions' room sums to equity less stop_out x used, and is never more than that with hedges", () => {
  const sum = (book: Book, { compiled, quoteOf }: ReturnType<typeof only>) =>
    book.positions.map((p) => marginRoom(p, compiled, quoteOf)).reduce((a, b) => sub(a, sub(dec('0'), b)), book.balance)
  const plain = only({}, { stop_out: '0.5' })
  const held = bookOf(['TST/USD', '5', '480'])
  // 1000 + 20 - 0.5 x 50
  expect(str(sum(held, plain))).toBe('995')
  const hedged = only({}, { stop_out: '0.5', position_mode: 'hedging' })
  const both = bookOf(['TST/USD', '5', '480'], ['TST/USD', '-4', '-480'])
  const used = usedMargin(both, hedged.compiled, hedged.quoteOf)
  const room = sub(equityOf(both, hedged.compiled, hedged.quoteOf), sub(used, dec('25')))
  expect(lt(sum(both, hedged), room)).toBe(true)
})
