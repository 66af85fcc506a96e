/** What orders may reduce, and what becomes of those that have nothing left. */
import { abs, add, type Dec, gt, isZero, min, sign, sub, ZERO } from '../../money/dec.ts'
import type { AccountState, Order, Position } from '../state.ts'
import type { Turn } from '../turn.ts'
import { leaveEntry } from './bracket.ts'
import { cancelOrder } from './order-view.ts'

const positionFor = (state: AccountState, order: Order): Position | undefined =>
  state.book.positions.find((p) => (order.position === null ? p.symbol === order.symbol : p.id === order.position))

/** How much of the position (hedging: ticket) on the other side an order could close. */
export function reducible(state: AccountState, order: Order): Dec {
  const position = positionFor(state, order)
  if (!position || sign(position.quantity) > 0 === (order.side === 'buy')) return ZERO
  return abs(position.quantity)
}
/** What an order may still trade: its rest, a reduce-only one no more than there is to reduce. */
export function openQuantity(state: AccountState, order: Order): Dec {
  const rest = sub(order.quantity, order.filled)
  return order.reduceOnly ? min(rest, reducible(state, order)) : rest
}

/** True when the order can only make the position smaller, waiting orders of its side counted first. */
export function onlyReduces(turn: Turn, order: Order): boolean {
  if (order.reduceOnly) return true
  const most = reducible(turn.state, order)
  if (turn.compiled.hedging || isZero(most)) return false
  const waiting = turn.state.orders
    .filter((o) => o !== order && o.symbol === order.symbol && o.side === order.side)
    .reduce((total, o) => add(total, sub(o.quantity, o.filled)), ZERO)
  return !gt(add(waiting, sub(order.quantity, order.filled)), most)
}

/** At the end of a point: reduce-only orders that have nothing left to reduce go, and with a bracket's exits its entry. */
export function cancelIdle(turn: Turn): void {
  const { state } = turn
  const idle = state.orders.filter((o) => o.reduceOnly && isZero(reducible(state, o)))
  for (const order of idle) cancelOrder(turn, order, 'nothing_to_reduce')
  for (const { parent } of idle)
    if (parent !== null && !state.orders.some((o) => o.parent === parent)) leaveEntry(turn, parent)
}
