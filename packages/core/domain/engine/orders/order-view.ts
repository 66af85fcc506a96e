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
/** Absent members stay away: the journal hashes no undefined. */
export function viewOf(order: Order, status: Status, reason?: string): OrderView {
  const trail = trailOf(order)
  const activation = order.trailing?.activation
  return {
    id: order.id,
    ...(order.clientId === null ? {} : { client_order_id: order.clientId }),
    symbol: order.symbol,
    side: order.side,
    type: order.type,
    time_in_force: order.timeInForce,
    quantity: str(order.quantity),
    ...(order.price && order.type !== 'market' ? { price: str(order.price) } : {}),
    ...(order.stop ? { stop_price: str(order.stop) } : {}),
    ...(trail ? { trail } : {}),
    ...(activation ? { activation_price: str(activation) } : {}),
    ...(order.expiresAt === null ? {} : { expires_at: order.expiresAt }),
    ...(order.reduceOnly ? { reduce_only: true } : {}),
    ...(order.postOnly ? { post_only: true } : {}),
    ...(order.parent === null ? {} : { parent: order.parent }),
    ...(order.oco === null ? {} : { oco: order.oco }),
    ...(order.position === null ? {} : { position: order.position }),
    filled: str(order.filled),
    status,
    ...(reason ? { reason } : {}),
    created_at: order.createdAt,
  }
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
