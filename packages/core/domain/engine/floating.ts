/** What positions of one symbol and direction would give if they were closed now. */
import { type QuoteOf, valueIn } from '../instruments/convert.ts'
import type { Side } from '../market/event.ts'
import { add, type Dec, sign, ZERO } from '../money/dec.ts'
import type { Compiled } from './compile.ts'
import type { Position } from './state.ts'
import { floating } from './valuation.ts'

export function floatingOf(
  book: { positions: readonly Pick<Position, 'symbol' | 'quantity' | 'cost'>[] },
  symbol: string,
  side: Side,
  compiled: Compiled,
  quoteOf: QuoteOf,
): Dec {
  let total = ZERO
  const market = compiled.markets.get(symbol)!
  for (const p of book.positions) {
    if (p.symbol !== symbol || sign(p.quantity) > 0 !== (side === 'buy')) continue
    const quote = quoteOf(symbol)!
    const result = floating(p.quantity, p.cost, market, quote.bid.price, quote.ask.price)
    total = add(total, valueIn(result, market.path!, quoteOf)!)
  }
  return total
}
