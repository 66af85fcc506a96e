/** The queue model: how much stood at an order's price before it came. */
import { displayedAt } from '../../matching/depth.ts'
import { type Dec, ZERO } from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import type { Order } from '../state.ts'
import type { Turn } from '../turn.ts'
import type { SymbolView } from '../view.ts'

/** Size displayed on the order's own side at exactly its price; null: none is. */
export const displayedFor = (order: Order, market: Market, view: SymbolView): Dec | null =>
  displayedAt(view, order.side === 'buy' ? 'bid' : 'ask', order.price!, market)

/** What an order that comes to rest now waits behind; null: the account has no queue model. */
export function sizeAhead(turn: Turn, order: Order, market: Market): Dec | null {
  if (!turn.compiled.spec.queue_model) return null
  const view = turn.view.symbol(order.symbol)
  return (view && displayedFor(order, market, view)) ?? ZERO
}
