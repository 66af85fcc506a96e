/** Stops of one event: trails follow the price, then what is reached triggers, protective ones first. */
import type { MarketEvent } from '../../market/event.ts'
import { type Dec, sum } from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import { isHeldBack, noteAct } from '../order-rules.ts'
import type { Order } from '../state.ts'
import type { Turn } from '../turn.ts'
import type { MarketView } from '../view.ts'
import { dropOrder, isDone, writeStanding } from './order-view.ts'
import { sizeAhead } from './queue.ts'
import { endRest, takeNow } from './take.ts'
import { follow } from './trail.ts'
import { isReached, triggerPrice } from './trigger-price.ts'

/** Waits for its trigger price at the market. */
export const isStop = (order: Order): boolean =>
  order.arrivesAt === null && (order.stop !== null || order.trailing !== null)

/** The price that an event holds against a stop; null: none. */
export const eventPrice = (event: MarketEvent, order: Order, market: Market, view: MarketView): Dec | null =>
  market.doc.trigger_price === 'last' && event.kind !== 'trade' ? null : triggerPrice(order.side, market, view)

/** It can only make a position smaller, or is against what the account holds of its symbol in all. */
function isProtective({ state: { book } }: Turn, order: Order): boolean {
  if (order.reduceOnly) return true
  const held = sum(book.positions.filter((p) => p.symbol === order.symbol).map((p) => p.quantity))
  return order.side === 'buy' ? held.n < 0n : held.n > 0n
}
/** To a news window an exit triggers, an entry is activated; a hedging account's opposing order opens a ticket. */
export const actOf = (turn: Turn, order: Order): 'stop_trigger' | 'activation' =>
  order.reduceOnly || (!turn.compiled.hedging && isProtective(turn, order)) ? 'stop_trigger' : 'activation'

export function triggerStops(turn: Turn, event: Extract<MarketEvent, { symbol: string }>, market: Market): void {
  const reached: Order[] = []
  for (const order of turn.state.orders) {
    if (order.symbol !== event.symbol || !isStop(order)) continue
    const price = eventPrice(event, order, market, turn.view)
    if (!price || (order.trailing && follow(order, price))) continue
    if (order.stop && isReached(order.side, price, order.stop)) reached.push(order)
  }
  if (reached.length === 0) return
  const first = reached.filter((order) => isProtective(turn, order))
  for (const order of [...first, ...reached.filter((o) => !first.includes(o))]) {
    const stands = turn.state.orders.includes(order)
    if (stands && !isHeldBack(turn, order, actOf(turn, order))) trigger(turn, order, market)
  }
}

/** A stop becomes a market order, a stop-limit a limit order that takes what crosses and then joins the queue. */
export function trigger(turn: Turn, order: Order, market: Market): void {
  const { state } = turn
  noteAct(turn, actOf(turn, order), order.symbol)
  writeStanding(turn, order, 'triggered')
  order.stop = null
  order.trailing = null
  dropOrder(state, order)
  if (order.type === 'stop_limit') state.orders.push(order)
  takeNow(turn, order, market)
  if (order.type !== 'stop_limit') endRest(turn, order)
  else if (!isDone(order)) order.ahead = sizeAhead(turn, order, market)
}
