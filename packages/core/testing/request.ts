import type { Order, Position } from '../domain/engine/state.ts'
import { addingQuantities } from '../domain/engine/valuation.ts'
import type { QuoteOf } from '../domain/instruments/convert.ts'
import type { Side } from '../domain/market/event.ts'
import { dec, ZERO } from '../domain/money/dec.ts'
import type { Facts, OrderRequest } from '../domain/rules/kind.ts'
import { SYMBOL } from './book.ts'

interface OrderText extends Partial<Omit<Order, 'price' | 'stop' | 'quantity' | 'filled'>> {
  side?: Side
  quantity: string
  price?: string
  stop?: string
  filled?: string
}
/** A market order that opens, unless told. */
export const orderOf = ({ quantity, price, stop, filled = '0', ...more }: OrderText): Order => ({
  id: 'o9',
  clientId: null,
  symbol: SYMBOL,
  side: 'buy',
  type: 'market',
  timeInForce: 'gtc',
  trailing: null,
  reduceOnly: false,
  postOnly: false,
  expiresAt: null,
  createdAt: 0,
  arrivesAt: null,
  ahead: null,
  bracket: null,
  parent: null,
  oco: null,
  position: null,
  ...more,
  quantity: dec(quantity),
  filled: dec(filled),
  price: price === undefined ? null : dec(price),
  stop: stop === undefined ? null : dec(stop),
})
export const positionOf = (quantity: string, cost = '0', symbol = SYMBOL, id = 'o1'): Position => ({
  id,
  symbol,
  quantity: dec(quantity),
  cost: dec(cost),
  openedAt: 0,
  openedDay: 0,
})

/** An order as rules see it before it stands, at the touch unless it has a price of its own. */
export function requestOf(order: Order, facts: Facts, quoteOf: QuoteOf): OrderRequest {
  const market = facts.compiled.markets.get(order.symbol)!
  const quote = quoteOf(order.symbol)
  const touch = quote && (order.side === 'buy' ? quote.ask.price : quote.bid.price)
  const { orders, book } = facts.account
  const adding = addingQuantities([...orders, order], book, facts.compiled.hedging)
  return { order, market, reference: order.price ?? order.stop ?? touch ?? ZERO, quoteOf, adding }
}
