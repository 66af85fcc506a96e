/** What an account would hold if every waiting order were filled. */

import type { Order } from '../engine/state.ts'
import { addingQuantities, markOf, reservePrice } from '../engine/valuation.ts'
import { type QuoteOf, valueIn } from '../instruments/convert.ts'
import type { Side } from '../market/event.ts'
import { abs, add, type Dec, gt, isZero, max, mul, neg, sign, sum, ZERO } from '../money/dec.ts'
import type { Facts, OrderRequest } from './kind.ts'

export type Unit = 'quantity' | 'notional'
const SIDES: readonly Side[] = ['buy', 'sell']
/** Waiting orders that count as filled, with an order that is asked for or without. */
export interface Waiting extends Pick<OrderRequest, 'quoteOf' | 'adding'> {
  order: Order | null
  reference: Dec | null
}
/** Those of the account as it stands. */
export const waitingNow = ({ account, compiled }: Facts, quoteOf: QuoteOf): Waiting => ({
  order: null,
  reference: null,
  quoteOf,
  adding: addingQuantities(account.orders, account.book, compiled.hedging),
})
const ordersOf = ({ account }: Facts, { order }: Waiting): readonly Order[] =>
  order ? [...account.orders, order] : account.orders

/** Account currency, at the worse side of the conversion path. */
function notionalOf(facts: Facts, quoteOf: QuoteOf, symbol: string, quantity: Dec, price: Dec): Dec {
  const market = facts.compiled.markets.get(symbol)!
  return neg(valueIn(neg(mul(mul(quantity, market.contract), price)), market.path!, quoteOf)!)
}
/** What an order is worth while it waits is what it was worth when it was asked for: at the price that it reserves at. */
function priceOf(facts: Facts, order: Order, request: Waiting): Dec {
  if (order === request.order) return request.reference!
  const own = order.price ?? order.stop
  return own ?? reservePrice(order, facts.compiled.markets.get(order.symbol)!, request.quoteOf)
}
/** Of two legs of which only one can be filled, the larger counts. */
function addingOf(orders: readonly Order[], sizeOf: (order: Order) => Dec): Dec {
  let total = ZERO
  for (const order of orders) {
    const other = order.oco === null ? undefined : orders.find((o) => o.id === order.oco)
    const size = sizeOf(order)
    if (other && (gt(sizeOf(other), size) || (!gt(size, sizeOf(other)) && other.id < order.id))) continue
    total = add(total, size)
  }
  return total
}

/** What is held on one side of a symbol. */
function heldOn(facts: Facts, quoteOf: QuoteOf, symbol: string, side: Side, unit: Unit): Dec {
  let held = ZERO
  for (const p of facts.account.book.positions) {
    if (p.symbol !== symbol || sign(p.quantity) > 0 !== (side === 'buy')) continue
    const mark = markOf(p.quantity, facts.compiled.markets.get(symbol)!, quoteOf(symbol)!)
    held = add(held, unit === 'quantity' ? abs(p.quantity) : notionalOf(facts, quoteOf, symbol, abs(p.quantity), mark))
  }
  return held
}
/** Netting: the larger side; hedging: both, tickets do not cancel each other out. */
const sizeOfSides = (facts: Facts, of: (side: Side) => Dec): Dec => {
  const [long, short] = SIDES.map(of)
  return facts.compiled.hedging ? add(long!, short!) : max(long!, short!)
}
/** One side of a symbol: what is held, waiting orders counted as filled. */
export function sideOf(facts: Facts, request: Waiting, symbol: string, side: Side, unit: Unit): Dec {
  const { quoteOf, adding } = request
  const waiting = ordersOf(facts, request).filter((o) => o.symbol === symbol && o.side === side)
  return add(
    heldOn(facts, quoteOf, symbol, side, unit),
    addingOf(waiting, (order) => {
      const quantity = adding.get(order.id) ?? ZERO
      return unit === 'quantity'
        ? quantity
        : notionalOf(facts, quoteOf, symbol, quantity, priceOf(facts, order, request))
    }),
  )
}
export const symbolsOf = (facts: Facts, request: Waiting): Set<string> =>
  new Set([...facts.account.book.positions, ...ordersOf(facts, request)].map((x) => x.symbol))

/** The size of a symbol with what waits. */
export const sizeIn = (facts: Facts, request: Waiting, symbol: string, unit: Unit): Dec =>
  sizeOfSides(facts, (side) => sideOf(facts, request, symbol, side, unit))
/** The sizes of all symbols. */
export const total = (facts: Facts, request: Waiting, unit: Unit): Dec =>
  sum([...symbolsOf(facts, request)].map((symbol) => sizeIn(facts, request, symbol, unit)))

/** Does the order open a position of its own: hedging, each ticket; netting, the first one in its symbol. */
export function opensPosition(facts: Facts, request: OrderRequest): boolean {
  if (isZero(request.adding.get(request.order.id) ?? ZERO)) return false
  const { id, oco, symbol } = request.order
  const { book, orders } = facts.account
  if (facts.compiled.spec.position_mode === 'hedging')
    return !book.positions.some((p) => p.id === id) && (oco === null || !orders.some((o) => o.id === oco))
  return (
    !book.positions.some((p) => p.symbol === symbol) &&
    !orders.some((o) => o.symbol === symbol && !isZero(request.adding.get(o.id) ?? ZERO))
  )
}
/** Positions held and those that waiting orders open. */
export function positionsCounted(facts: Facts, request: Pick<OrderRequest, 'adding'>): number {
  const { book, orders } = facts.account
  const opening = orders.filter((o) => !isZero(request.adding.get(o.id) ?? ZERO) && !isSecondLeg(o, orders))
  if (facts.compiled.spec.position_mode === 'hedging')
    return new Set([...book.positions, ...opening].map(({ id }) => id)).size
  const held = new Set(book.positions.map((p) => p.symbol))
  return held.size + new Set(opening.map((o) => o.symbol).filter((symbol) => !held.has(symbol))).size
}
const isSecondLeg = (order: Order, orders: readonly Order[]): boolean =>
  order.oco !== null && orders.some((o) => o.id === order.oco && o.id < order.id)
