import { type QuoteOf, type TouchOf, valueIn } from '../instruments/convert.ts'
import { abs, add, type Dec, div, isZero, max, min, mul, neg, ONE, sign, sub, ZERO } from '../money/dec.ts'
import type { Compiled, Market } from './compile.ts'
import type { AccountState, Book, Order } from './state.ts'
import type { MarketView } from './view.ts'

export const quotesOf =
  (view: MarketView): QuoteOf =>
  (symbol) =>
    view.symbol(symbol)?.quote ?? null
/** Marks as they stood before the newest event. */
export const quotesBefore =
  (view: MarketView): QuoteOf =>
  (symbol) =>
    view.quoteBefore(symbol)

/** Quantity x contract size. */
export const sizeOf = (quantity: Dec, { contract }: Market): Dec =>
  contract === ONE ? quantity : mul(quantity, contract)
/** A position's result if closed now at the touch (longs at bid, shorts at ask), in its quote currency. */
export function floating(quantity: Dec, cost: Dec, market: Market, bid: Dec, ask: Dec): Dec {
  return sub(mul(sizeOf(quantity, market), quantity.n > 0n ? bid : ask), cost)
}

/** U: the sum over positions of their result at the touch, each converted by its own sign; not rounded. Added to `from`. */
export function unrealised(
  positions: readonly { symbol: string; quantity: Dec; cost: Dec }[],
  compiled: Compiled,
  touchOf: TouchOf,
  from: Dec = ZERO,
): Dec {
  let total = from
  for (const p of positions) {
    const market = compiled.markets.get(p.symbol)!
    const touch = touchOf(p.symbol)!
    const result = floating(p.quantity, p.cost, market, touch.bid.price, touch.ask.price)
    total = add(total, valueIn(result, market.path!, touchOf)!)
  }
  return total
}
/** E = B + U, exact. */
export const equityOf = (book: Book, compiled: Compiled, touchOf: TouchOf): Dec =>
  unrealised(book.positions, compiled, touchOf, book.balance)

export const equity = (state: AccountState, compiled: Compiled, view: MarketView): Dec =>
  equityOf(state.book, compiled, quotesOf(view))

/** Margin of a notional in quote currency: converted as a debit, times the margin rate or through the leverage. */
function marginOf(notional: Dec, market: Market, compiled: Compiled, quoteOf: QuoteOf): Dec {
  const converted = neg(valueIn(neg(notional), market.path!, quoteOf)!)
  return market.marginRate ? mul(converted, market.marginRate) : div(converted, compiled.leverage)
}
/** used = sum of |net quantity| x contract x mark x rate x margin; the mark is the touch that values U. */
export function usedMargin(book: Book, compiled: Compiled, quoteOf: QuoteOf): Dec {
  let total = ZERO
  for (const p of book.positions) {
    const market = compiled.markets.get(p.symbol)!
    const quote = quoteOf(p.symbol)!
    const mark = sign(p.quantity) > 0 ? quote.bid.price : quote.ask.price
    total = add(total, marginOf(mul(mul(abs(p.quantity), market.contract), mark), market, compiled, quoteOf))
  }
  return total
}

/** How much of each working order adds exposure: what opposes the position is used up by the orders of its side in order of arrival. */
export function addingQuantities(orders: readonly Order[], book: Book): Map<string, Dec> {
  const adding = new Map<string, Dec>()
  const reducible = new Map<string, Dec>()
  for (const order of orders) {
    const position = book.positions.find((p) => p.symbol === order.symbol)
    const opposes = position && sign(position.quantity) > 0 === (order.side === 'sell')
    const left = reducible.get(order.symbol) ?? (position ? abs(position.quantity) : ZERO)
    const rest = sub(order.quantity, order.filled)
    const reduces = opposes ? min(rest, left) : ZERO
    if (opposes) reducible.set(order.symbol, sub(left, reduces))
    adding.set(order.id, max(ZERO, sub(rest, reduces)))
  }
  return adding
}
/** Margin that working orders reserve, at their own price, for the part that adds exposure. */
export function reservedMargin(orders: readonly Order[], book: Book, compiled: Compiled, quoteOf: QuoteOf): Dec {
  let total = ZERO
  const adding = addingQuantities(orders, book)
  for (const order of orders) {
    const quantity = adding.get(order.id)!
    if (isZero(quantity)) continue
    const market = compiled.markets.get(order.symbol)!
    total = add(total, marginOf(mul(mul(quantity, market.contract), order.price!), market, compiled, quoteOf))
  }
  return total
}
