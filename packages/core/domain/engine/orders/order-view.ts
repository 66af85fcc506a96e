/** Orders as answers and the journal tell them. */
import { eq, mul, ofInt, str } from '../../money/dec.ts'
import type { AccountState, Order } from '../state.ts'
import { type Turn, write } from '../turn.ts'
import type { OrderView, Trail } from '../types.ts'

type Status = OrderView['status']
const HUNDRED = ofInt(100)

function trailOf({ trailing }: Order): Trail | undefined {
  if (!trailing) return undefined
  return trailing.offset ? { offset: str(trailing.offset) } : { pct: str(mul(trailing.share!, HUNDRED)) }
}
/** Absent members stay away: the journal hashes no undefined. In the order of canonical JSON, which then copies nothing. */
export function viewOf(order: Order, status: Status, reason?: string): OrderView {
  const view: Partial<OrderView> = {}
  const trail = trailOf(order)
  const activation = order.trailing?.activation
  if (activation) view.activation_price = str(activation)
  if (order.clientId !== null) view.client_order_id = order.clientId
  view.created_at = order.createdAt
  if (order.expiresAt !== null) view.expires_at = order.expiresAt
  view.filled = str(order.filled)
  view.id = order.id
  if (order.oco !== null) view.oco = order.oco
  if (order.parent !== null) view.parent = order.parent
  if (order.position !== null) view.position = order.position
  if (order.postOnly) view.post_only = true
  if (order.price && order.type !== 'market') view.price = str(order.price)
  view.quantity = str(order.quantity)
  if (reason) view.reason = reason
  if (order.reduceOnly) view.reduce_only = true
  view.side = order.side
  view.status = status
  if (order.stop) view.stop_price = str(order.stop)
  view.symbol = order.symbol
  view.time_in_force = order.timeInForce
  if (trail) view.trail = trail
  view.type = order.type
  return view as OrderView
}

export const isDone = (order: Order): boolean => eq(order.filled, order.quantity)
export const waitingStatus = (order: Order): 'pending' | 'working' => (order.arrivesAt === null ? 'working' : 'pending')

/** Where an order stands after what this input did to it. */
export function answerView(turn: Turn, order: Order): OrderView {
  if (turn.state.orders.includes(order)) return viewOf(order, waitingStatus(order))
  const end = turn.records.findLast((r) => r.kind === 'order' && r.order === order.id && !r.view)
  // a leg whose partner filled has nothing left and was cancelled all the same
  if (end?.kind === 'order' && end.status !== 'filled') return viewOf(order, 'cancelled', end.reason)
  return viewOf(order, 'filled')
}

/** The order as it stands now: it works, was triggered or amended. */
export function writeStanding(turn: Turn, order: Order, status: 'working' | 'triggered' | 'amended', reason?: string) {
  write(turn, {
    kind: 'order',
    phase: turn.state.phase,
    order: order.id,
    status,
    filled: str(order.filled),
    ...(reason ? { reason } : {}),
    view: viewOf(order, waitingStatus(order)),
  })
}
export function writeEnd(turn: Turn, order: Order, status: 'filled' | 'cancelled' | 'expired', reason?: string): void {
  const { phase } = turn.state
  const filled = str(order.filled)
  write(turn, { kind: 'order', phase, order: order.id, status, filled, ...(reason ? { reason } : {}) })
}

export function dropOrder(state: AccountState, order: Order): void {
  if (state.orders.includes(order)) state.orders = state.orders.filter((o) => o !== order)
}
/** Takes an order out and says why; what hangs on it is not touched. */
export function cancelOrder(turn: Turn, order: Order, reason: string): void {
  dropOrder(turn.state, order)
  writeEnd(turn, order, 'cancelled', reason)
}
