/** What orders may reduce, and what becomes of those that have nothing left. */
import { abs, type Dec, isZero, min, sign, sub, ZERO } from '../../money/dec.ts'
import type { AccountState, Order, Position } from '../state.ts'
import type { Turn } from '../turn.ts'
import { addingQuantities } from '../valuation.ts'
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

/**
 * True when the order can only make the position smaller, waiting orders of its side counted first: of a pair one leg,
 * and none that is reduce-only, for it opens nothing whatever fills before it.
 */
export function onlyReduces(turn: Turn, order: Order): boolean {
  if (order.reduceOnly) return true
  const { state, compiled } = turn
  if (compiled.hedging || isZero(reducible(state, order))) return false
  const others = state.orders.filter((o) => o !== order && o.id !== order.oco)
  return isZero(addingQuantities([...others, order], state.book).get(order.id)!)
}

/** At the end of a point: reduce-only orders that have nothing left to reduce go, and with a bracket's exits its entry. */
export function cancelIdle(turn: Turn): void {
  const { state } = turn
  const idle = state.orders.filter((o) => o.reduceOnly && isZero(reducible(state, o)))
  for (const order of idle) cancelOrder(turn, order, 'nothing_to_reduce')
  for (const { parent } of idle)
    if (parent !== null && !state.orders.some((o) => o.parent === parent)) leaveEntry(turn, parent)
}
