import { type QuoteOf, type Touch, type TouchOf, valueIn } from '../instruments/convert.ts'
import { markedUp } from '../matching/depth.ts'
import {
  abs,
  add,
  type Dec,
  div,
  gt,
  isZero,
  max,
  min,
  mul,
  neg,
  ONE,
  sign,
  sub,
  toNumber,
  ZERO,
} from '../money/dec.ts'
import type { Compiled, Market } from './compile.ts'
import type { AccountState, Book, Order, Position } from './state.ts'
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
/** The price that values a position of this sign at these prices of the source: bid or ask, marked up for the account. */
export const markAt = (quantity: Dec, market: Market, bid: Dec, ask: Dec): Dec =>
  quantity.n > 0n ? markedUp(bid, 'bid', market) : markedUp(ask, 'ask', market)
/** The same at a quote. */
export const markOf = (quantity: Dec, market: Market, { bid, ask }: Touch): Dec =>
  markAt(quantity, market, bid.price, ask.price)
/**
 * A position's result if closed now at the touch (longs at bid, shorts at ask, marked up), in its quote currency;
 * `bid` and `ask` are the source's.
 */
export function floating(quantity: Dec, cost: Dec, market: Market, bid: Dec, ask: Dec): Dec {
  return sub(mul(sizeOf(quantity, market), markAt(quantity, market, bid, ask)), cost)
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

/**
 * Margin of so much at a price: notional converted as a debit, times the margin rate or through the leverage. What an
 * outcome contract can lose is paid in full: the price of a long one, 1 less the price of a short one.
 */
function marginOf(quantity: Dec, price: Dec, market: Market, compiled: Compiled, touchOf: TouchOf): Dec {
  const atStake = market.isOutcome && quantity.n < 0n ? max(ZERO, sub(ONE, price)) : price
  const notional = mul(sizeOf(abs(quantity), market), atStake)
  const converted = market.path!.length === 0 ? notional : neg(valueIn(neg(notional), market.path!, touchOf)!)
  return market.marginRate ? mul(converted, market.marginRate) : div(converted, compiled.leverage)
}
const markedMargin = (quantity: Dec, symbol: string, compiled: Compiled, touchOf: TouchOf): Dec => {
  const market = compiled.markets.get(symbol)!
  return marginOf(quantity, markOf(quantity, market, touchOf(symbol)!), market, compiled, touchOf)
}

/**
 * used = sum of |net quantity| x contract x mark x rate; the mark is the touch that values U. Hedging: of each symbol
 * the larger of what its long and its short tickets need.
 */
export function usedMargin(book: Book, compiled: Compiled, touchOf: TouchOf): Dec {
  if (compiled.hedging) return hedgedMargin(book, compiled, touchOf)
  let total = ZERO
  for (const p of book.positions) total = add(total, markedMargin(p.quantity, p.symbol, compiled, touchOf))
  return total
}
function hedgedMargin(book: Book, compiled: Compiled, touchOf: TouchOf): Dec {
  const sides = new Map<string, { long: Dec; short: Dec }>()
  for (const { symbol, quantity } of book.positions) {
    const { long, short } = sides.get(symbol) ?? { long: ZERO, short: ZERO }
    sides.set(symbol, quantity.n > 0n ? { long: add(long, quantity), short } : { long, short: add(short, quantity) })
  }
  let total = ZERO
  for (const [symbol, { long, short }] of sides) {
    const needs = [long, short].filter((side) => !isZero(side))
    total = add(total, needs.map((side) => markedMargin(side, symbol, compiled, touchOf)).reduce(max))
  }
  return total
}
/** What one position gives to equity less stop_out x used at these prices, hedging not counted; stop_out null: equity alone. */
export function marginRoom(
  { symbol, quantity, cost }: Pick<Position, 'symbol' | 'quantity' | 'cost'>,
  compiled: Compiled,
  touchOf: TouchOf,
): Dec {
  const market = compiled.markets.get(symbol)!
  const touch = touchOf(symbol)!
  const result = floating(quantity, cost, market, touch.bid.price, touch.ask.price)
  const value = valueIn(result, market.path!, touchOf)!
  if (compiled.stopOut === null) return value
  return sub(value, mul(compiled.stopOut, markedMargin(quantity, symbol, compiled, touchOf)))
}

/**
 * How much of each working order adds exposure. What opposes the position is used up by the orders of its side in
 * order of arrival, both legs of a pair at once; reduce-only orders add nothing and use up nothing. Hedging: an order
 * opens a ticket of its own.
 */
export function addingQuantities(orders: readonly Order[], book: Book, hedging = false): Map<string, Dec> {
  const adding = new Map<string, Dec>()
  const reducible = hedging ? new Map<string, Reducible>() : reduciblesOf(book)
  for (const order of orders) {
    const rest = isZero(order.filled) ? order.quantity : sub(order.quantity, order.filled)
    const twin = order.oco === null ? undefined : adding.get(order.oco)
    if (order.reduceOnly) adding.set(order.id, ZERO)
    else if (hedging) adding.set(order.id, order.position === null ? rest : ZERO)
    else if (twin) adding.set(order.id, twin)
    else {
      const absorbed = absorb(order, rest, reducible.get(order.symbol))
      adding.set(order.id, isZero(absorbed) ? rest : sub(rest, absorbed))
    }
  }
  return adding
}
/** What is left of a position for the orders against it. */
interface Reducible {
  side: Order['side']
  left: Dec
}
function reduciblesOf({ positions }: Book): Map<string, Reducible> {
  const reducible = new Map<string, Reducible>()
  for (const { symbol, quantity } of positions)
    if (!reducible.has(symbol))
      reducible.set(symbol, { side: sign(quantity) > 0 ? 'sell' : 'buy', left: abs(quantity) })
  return reducible
}
/** What the position still takes of an order against it. */
function absorb(order: Order, rest: Dec, reducible: Reducible | undefined): Dec {
  if (reducible?.side !== order.side) return ZERO
  const taken = min(rest, reducible.left)
  reducible.left = sub(reducible.left, taken)
  return taken
}

const ownPrice = (order: Order): Dec | null =>
  order.type === 'market' ? null : (order.price ?? order.stop ?? order.trailing?.activation ?? null)
/** The price at which an order reserves: its limit, its stop, what starts its trail, else the touch that it would take. */
export function reservePrice(order: Order, market: Market, quoteOf: QuoteOf): Dec {
  const own = ownPrice(order)
  if (own) return own
  const { bid, ask } = quoteOf(order.symbol)!
  return order.side === 'buy' ? markedUp(ask.price, 'ask', market) : markedUp(bid.price, 'bid', market)
}
/**
 * Margin that working and pending orders reserve, at their own price, for the part that adds exposure; a pair
 * reserves its larger leg.
 */
export function reservedMargin(
  orders: readonly Order[],
  book: Book,
  compiled: Compiled,
  quoteOf: QuoteOf,
  adding = addingQuantities(orders, book, compiled.hedging),
): Dec {
  let total = ZERO
  const reserved = new Map<string, Dec>()
  for (const order of orders) {
    const quantity = adding.get(order.id)!
    if (isZero(quantity)) continue
    const market = compiled.markets.get(order.symbol)!
    const signed = order.side === 'buy' || !market.isOutcome ? quantity : neg(quantity)
    const margin = marginOf(signed, reservePrice(order, market, quoteOf), market, compiled, quoteOf)
    if (order.oco === null) {
      total = add(total, margin)
      continue
    }
    const twin = reserved.get(order.oco) ?? ZERO
    if (gt(margin, twin)) total = add(total, sub(margin, twin))
    reserved.set(order.id, margin)
  }
  return total
}

/** Margin for one unit of quantity at a price of 1, in doubles and not below it; Infinity: a quote is missing. */
function mostRate(market: Market, compiled: Compiled, quoteOf: QuoteOf): number {
  let rate = market.marginRate ? toNumber(market.marginRate) : 1 / toNumber(compiled.leverage)
  for (const leg of market.path!) {
    if (leg.peg) continue
    const touch = quoteOf(leg.symbol)
    if (!touch) return Number.POSITIVE_INFINITY
    rate *= leg.direct ? toNumber(touch.ask.price) : 1 / toNumber(touch.bid.price)
  }
  return rate * toNumber(market.contract)
}
/**
 * Not below what these orders reserve, up to the rounding of doubles, whatever they add and whichever leg of a pair
 * counts: a screen. Infinity: not known.
 */
export function mostReserved(orders: readonly Order[], compiled: Compiled, quoteOf: QuoteOf): number {
  const rates = new Map<Market, number>()
  let total = 0
  for (const order of orders) {
    const market = compiled.markets.get(order.symbol)!
    if (!ownPrice(order) && !quoteOf(order.symbol)) return Number.POSITIVE_INFINITY
    let rate = rates.get(market)
    if (rate === undefined) {
      rate = mostRate(market, compiled, quoteOf)
      rates.set(market, rate)
    }
    const price = Math.abs(toNumber(reservePrice(order, market, quoteOf)))
    total += toNumber(order.quantity) * (market.isOutcome ? price + 1 : price) * rate
  }
  return total
}
