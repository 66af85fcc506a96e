/** Where prices would have to go for a limit to be reached: shown to people, decides nothing. */
import type { QuoteOf } from '../instruments/convert.ts'
import { add, ceilTo, type Dec, div, eq, floorTo, gt, isZero, mul, ONE, sign, sub, sum, ZERO } from '../money/dec.ts'
import type { Compiled } from './compile.ts'
import type { Book } from './state.ts'
import { equityOf } from './valuation.ts'
import type { BookLevel } from './view.ts'

export interface Reach {
  symbol: string
  /** of the side that marks the position: bid of a long one, ask of a short one */
  price: string
}
/** Equity is a line in one price, bent a little where that price or the sign of a result converts: secants end there. */
const STEPS = 6

/** Of the positions in a symbol together: long when a rising price gains. */
const netOf = (book: Book, symbol: string): Dec =>
  sum(book.positions.filter((p) => p.symbol === symbol).map((p) => p.quantity))

/**
 * The price of `symbol`, bid and ask moved alike, at which equity comes to an amount while nothing else moves; on the
 * tick at or beyond it, seen from the side where equity is now. Null: no price above zero (of an outcome: up to 1) does it.
 */
export function priceAt(
  book: Book,
  compiled: Compiled,
  quoteOf: QuoteOf,
  symbol: string,
  to: { equity: Dec; side: 'below' | 'above' },
): Dec | null {
  const market = compiled.markets.get(symbol)!
  const quote = quoteOf(symbol)!
  const net = netOf(book, symbol)
  if (isZero(net)) return null
  const isLong = sign(net) > 0
  const falls = isLong === (to.side === 'below')
  const mark = (isLong ? quote.bid : quote.ask).price
  const excess = (shift: Dec): Dec => {
    const moved = (level: BookLevel): BookLevel => ({ ...level, price: add(level.price, shift) })
    const shifted = { ...quote, bid: moved(quote.bid), ask: moved(quote.ask) }
    return sub(
      equityOf(book, compiled, (name) => (name === symbol ? shifted : quoteOf(name))),
      to.equity,
    )
  }
  let [a, b]: [Dec, Dec] = [ZERO, falls ? sub(ZERO, market.tick) : market.tick]
  let [atA, atB] = [excess(a), excess(b)]
  for (let i = 0; i < STEPS && !isZero(atB) && !eq(atA, atB); i++) {
    const next = sub(b, div(mul(atB, sub(b, a)), sub(atB, atA)))
    if (!gt(add(quote.bid.price, next), ZERO)) return null
    ;[a, atA, b, atB] = [b, atB, next, excess(next)]
  }
  // an outcome at the end of its range: no price moves it further
  if (eq(atA, atB) && !eq(a, b)) return null
  const price = falls ? floorTo(add(mark, b), market.tick) : ceilTo(add(mark, b), market.tick)
  return gt(price, ZERO) && !(market.isOutcome && gt(price, ONE)) ? price : null
}
