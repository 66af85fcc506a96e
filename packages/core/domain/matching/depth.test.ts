import { expect, test } from 'bun:test'
import { bookOf, marketOf, SYMBOL, Tape } from '../../testing/book.ts'
import { dec, str } from '../money/dec.ts'
import { displayedAt, markedUp, openLevels, settleTaken, take } from './depth.ts'

const market = marketOf({ clip: '77' })
const shown = (tape: Tape, side: 'bid' | 'ask', book = bookOf()) =>
  openLevels(tape.symbol(), side, book, market).map((l) => [str(l.price), str(l.open), l.kind, l.mseq])
const ladder = () =>
  new Tape().quote(['99.00', '10'], ['101.00', '10']).levels(
    [
      ['99.00', '10'],
      ['98.00', '20'],
      ['97.00', '30'],
    ],
    [
      ['101.00', '10'],
      ['102.00', '20'],
      ['103.00', '30'],
    ],
  )

test('the newest quote is the first level; deeper ones are those of the newest levels event that are worse than it', () => {
  const tape = ladder()
  expect(shown(tape, 'ask')).toEqual([
    ['101', '10', 'quote', 1],
    ['102', '20', 'levels', 2],
    ['103', '30', 'levels', 2],
  ])
  expect(shown(tape, 'bid')).toEqual([
    ['99', '10', 'quote', 1],
    ['98', '20', 'levels', 2],
    ['97', '30', 'levels', 2],
  ])
})

test('a level at the touch or better than it is the touch, never depth of its own', () => {
  const tape = ladder().quote(['98.00', '5'], ['102.00', '5'])
  expect(shown(tape, 'ask')).toEqual([
    ['102', '5', 'quote', 3],
    ['103', '30', 'levels', 2],
  ])
  expect(shown(tape, 'bid')).toEqual([
    ['98', '5', 'quote', 3],
    ['97', '30', 'levels', 2],
  ])
})

test('without a quote there is no depth, whatever the levels say', () => {
  const tape = new Tape().levels([['99.00', '10']], [['101.00', '10']])
  expect(shown(tape, 'ask')).toEqual([])
  expect(shown(tape, 'bid')).toEqual([])
})

test("a quote without sizes has the instrument's clip", () => {
  const tape = new Tape().quote(['99.00'], ['101.00', '3'])
  expect(shown(tape, 'bid')).toEqual([['99', '77', 'quote', 1]])
  expect(shown(tape, 'ask')).toEqual([['101', '3', 'quote', 1]])
})

test('what was taken of one side, price and symbol is gone there and nowhere else', () => {
  const tape = ladder()
  const book = bookOf()
  take(book, SYMBOL, 'ask', dec('102'), dec('15'), 2)
  take(book, SYMBOL, 'bid', dec('97'), dec('30'), 2)
  take(book, 'OTHER/USD', 'ask', dec('101'), dec('9'), 2)
  take(book, SYMBOL, 'bid', dec('101'), dec('9'), 2)
  expect(shown(tape, 'ask', book).map(([, open]) => open)).toEqual(['10', '5', '30'])
  expect(shown(tape, 'bid', book).map(([, open]) => open)).toEqual(['10', '20', '0'])
})

test('a mark-up takes an outcome to no price outside [0, 1]', () => {
  const seen = (more: Partial<Parameters<typeof marketOf>[0]>) => {
    const dear = marketOf({ spread_markup_ticks: '3', ...more })
    return (['bid', 'ask'] as const).map((side) => str(markedUp(dec(side === 'bid' ? '0.02' : '0.98'), side, dear)))
  }
  expect(seen({ kind: 'outcome' })).toEqual(['0', '1'])
  expect(seen({ kind: 'outcome', spread_markup_ticks: '1' })).toEqual(['0.01', '0.99'])
  expect(seen({})).toEqual(['-0.01', '1.01'])
})
test('a mark-up lowers the bids and raises the asks of this account; what is taken is of the price as the source has it', () => {
  const dear = marketOf({ spread_markup_ticks: '3' })
  const book = bookOf()
  take(book, SYMBOL, 'ask', dec('102'), dec('15'), 2)
  const seen = (side: 'bid' | 'ask') =>
    openLevels(ladder().symbol(), side, book, dear).map((l) => [str(l.price), str(l.raw), str(l.open)])
  expect(seen('ask')).toEqual([
    ['101.03', '101', '10'],
    ['102.03', '102', '5'],
    ['103.03', '103', '30'],
  ])
  expect(seen('bid').map(([price]) => price)).toEqual(['98.97', '97.97', '96.97'])
})

test('more taken than a level has left is nothing, never less than nothing', () => {
  const book = bookOf()
  take(book, SYMBOL, 'ask', dec('101'), dec('10.5'), 1)
  expect(shown(ladder(), 'ask', book)[0]).toEqual(['101', '0', 'quote', 1])
})

test('what is taken adds up per symbol, side and price, however the price is written', () => {
  const book = bookOf()
  take(book, SYMBOL, 'ask', dec('101.00'), dec('2'), 1)
  take(book, SYMBOL, 'ask', dec('101'), dec('3'), 4)
  take(book, SYMBOL, 'bid', dec('101'), dec('5'), 4)
  take(book, SYMBOL, 'ask', dec('101.01'), dec('7'), 4)
  take(book, 'OTHER/USD', 'ask', dec('101'), dec('11'), 4)
  expect(book.taken.map((t) => [t.symbol, t.side, str(t.price), str(t.size), t.mseq])).toEqual([
    [SYMBOL, 'ask', '101', '5', 4],
    [SYMBOL, 'bid', '101', '5', 4],
    [SYMBOL, 'ask', '101.01', '7', 4],
    ['OTHER/USD', 'ask', '101', '11', 4],
  ])
})

test('the size that shows at a price is that of the level there, taken or not', () => {
  const at = (side: 'bid' | 'ask', price: string, of = market) => {
    const found = displayedAt(ladder().symbol(), side, dec(price), of)
    return found && str(found)
  }
  expect([at('ask', '101'), at('ask', '103'), at('ask', '101.5'), at('ask', '99')]).toEqual(['10', '30', null, null])
  expect([at('bid', '98'), at('bid', '101')]).toEqual(['20', null])
  const dear = marketOf({ spread_markup_ticks: '3' })
  expect([at('bid', '97.97', dear), at('bid', '98', dear), at('ask', '102.03', dear)]).toEqual(['20', null, '20'])
  expect(str(displayedAt(new Tape().quote(['99.00'], ['101.00']).symbol(), 'bid', dec('99'), market)!)).toBe('77')
})

/** What is remembered of 4 taken at the ask of 101 and 6 at the bid of 98, after more events. */
function remembered(more: (tape: Tape) => Tape): string[] {
  const tape = ladder()
  const book = bookOf()
  take(book, SYMBOL, 'ask', dec('101'), dec('4'), tape.view.mseq)
  take(book, SYMBOL, 'bid', dec('98'), dec('6'), tape.view.mseq)
  more(tape)
  return settleTaken(book.taken, (symbol) => tape.view.symbol(symbol)).map((t) => t.side)
}

test('taken depth is remembered until an event changes the size of its level or removes it', () => {
  expect(remembered((t) => t)).toEqual(['ask', 'bid'])
  expect(remembered((t) => t.quote(['99.00', '10'], ['101.00', '10']))).toEqual(['ask', 'bid'])
  expect(remembered((t) => t.quote(['99.00', '10'], ['101.00', '11']))).toEqual(['bid'])
  expect(remembered((t) => t.quote(['99.00', '10'], ['101.50', '10']))).toEqual(['bid'])
  // a better touch before it: the levels still show it as it was
  expect(remembered((t) => t.quote(['99.00', '10'], ['100.99', '10']))).toEqual(['ask', 'bid'])
  expect(remembered((t) => t.quote(['97.50', '10'], ['101.00', '10']))).toEqual(['ask'])
  expect(remembered((t) => t.levels([['98.00', '20']], []))).toEqual(['ask', 'bid'])
  expect(remembered((t) => t.levels([['98.00', '21']], []))).toEqual(['ask'])
  expect(remembered((t) => t.levels([], []))).toEqual(['ask'])
})

test('a level that comes back as it was is new depth', () => {
  const back = (t: Tape) => t.quote(['99.00', '10'], ['101.00', '11']).quote(['99.00', '10'], ['101.00', '10'])
  expect(remembered(back)).toEqual(['bid'])
})

test('depth taken at the very event that made its level is remembered', () => {
  const tape = new Tape().quote(['99.00', '10'], ['101.00', '10'])
  const book = bookOf()
  take(book, SYMBOL, 'ask', dec('101'), dec('4'), 1)
  expect(settleTaken(book.taken, (symbol) => tape.view.symbol(symbol))).toHaveLength(1)
  tape.quote(['99.00', '10'], ['101.00', '12'])
  book.taken[0]!.mseq = 2
  expect(settleTaken(book.taken, (symbol) => tape.view.symbol(symbol))).toHaveLength(1)
})

test('what was taken of a symbol that is not known any more is forgotten', () => {
  const book = bookOf()
  take(book, 'GONE/USD', 'ask', dec('101'), dec('4'), 1)
  expect(settleTaken(book.taken, () => undefined)).toEqual([])
})

test('an account that took nothing is not looked at', () => {
  const none = bookOf().taken
  expect(settleTaken(none, () => expect.unreachable())).toBe(none)
})
