/** DAY and GTD: orders that end at an instant. */
import type { Market } from '../compile.ts'
import type { AccountState } from '../state.ts'
import type { Turn } from '../turn.ts'
import { dropOrder, writeEnd } from './order-view.ts'

/** A DAY order ends at the phase's reset or the instrument's session end, whichever is first. */
export function dayEnd(turn: Turn, market: Market): number {
  const close = market.sessions?.nextClose(turn.at) ?? null
  const reset = turn.state.day!.next
  return close === null ? reset : Math.min(close, reset)
}

/** When an order expires or arrives next; null: none does. */
export function orderDeadline(state: AccountState): number | null {
  let first: number | null = null
  for (const { expiresAt, arrivesAt } of state.orders) {
    if (expiresAt !== null && (first === null || expiresAt < first)) first = expiresAt
    if (arrivesAt !== null && (first === null || arrivesAt < first)) first = arrivesAt
  }
  return first
}

export function expireOrders(turn: Turn): void {
  for (const order of turn.state.orders.filter((o) => o.expiresAt !== null && o.expiresAt <= turn.at)) {
    dropOrder(turn.state, order)
    writeEnd(turn, order, 'expired')
  }
}
