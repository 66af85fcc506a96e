/** An order's trading as taker, and what follows from any of its fills. */
import { marketable } from '../../matching/marketable.ts'
import { add, type Dec, isZero, lt, sub, sum } from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import type { Order } from '../state.ts'
import { type Turn, takeDepth } from '../turn.ts'
import { growExits, leaveEntry } from './bracket.ts'
import { shrinkPartner } from './oco.ts'
import { cancelOrder, dropOrder, isDone, writeEnd } from './order-view.ts'
import { openQuantity } from './reducing.ts'

/** What an order could trade now against the book, within its own limit. */
export function crossing(turn: Turn, order: Order, market: Market) {
  const { state } = turn
  const quantity = openQuantity(state, order)
  if (isZero(quantity)) return []
  const limit = order.type === 'limit' || order.type === 'stop_limit' ? order.price : null
  return marketable(order.side, quantity, limit, turn.view.symbol(order.symbol)!, state.book, market)
}

/** Trades what crosses now. Fill or kill: all of it against depth that shows, or nothing. */
export function takeNow(turn: Turn, order: Order, market: Market): void {
  const executions = crossing(turn, order, market)
  if (executions.length === 0) return
  if (order.timeInForce === 'fok') {
    const visible = sum(executions.filter((e) => e.kind !== 'slippage').map((e) => e.quantity))
    if (lt(visible, sub(order.quantity, order.filled))) return
  }
  const got = takeDepth(turn, turn.state.book, market, order.id, order.side, executions, order.position)
  followFill(turn, order, market, got)
}
/** What a taker's order could not trade is cancelled. */
export function endRest(turn: Turn, order: Order): void {
  if (!isDone(order)) cancelOrder(turn, order, 'no_liquidity')
}

/** After fills of `got` were booked: the order ends when it is done; its exits grow, its other leg shrinks, its entry ends. */
export function followFill(turn: Turn, order: Order, market: Market, got: Dec): void {
  order.filled = add(order.filled, got)
  turn.filled.push(order.id)
  const done = isDone(order)
  if (done) {
    dropOrder(turn.state, order)
    writeEnd(turn, order, 'filled')
  }
  if (order.bracket) growExits(turn, order, market, got)
  if (order.oco !== null) shrinkPartner(turn, order, got)
  if (done && order.parent !== null) leaveEntry(turn, order.parent)
}
