import type { Order } from '../state.ts'
import type { Turn } from '../turn.ts'
import type { Answer } from '../types.ts'
import { partnerOf, standAlone } from './oco.ts'
import { cancelOrder } from './order-view.ts'
import { refuse } from './refusal.ts'

/** `o<aseq>`, a leg's or exit's name, or `client:<client_order_id>`. */
export const findOrder = (turn: Turn, name: string): Order | undefined =>
  turn.state.orders.find((o) => o.id === name || (o.clientId !== null && `client:${o.clientId}` === name))
export const notWorking = (name: string): Answer => refuse('order_not_working', `No working order ${name}.`)

/** Both legs of an OCO order go; a bracket's exit goes alone, the other stands. */
export function cancelOne(turn: Turn, name: string): Answer {
  const order = findOrder(turn, name)
  if (!order) return notWorking(name)
  const partner = order.parent === null ? partnerOf(turn, order) : undefined
  if (order.parent !== null) standAlone(turn, order)
  const gone = partner ? [order, partner] : [order]
  for (const each of gone) cancelOrder(turn, each, 'requested')
  return { ok: true, cancelled: gone.map((o) => o.id) }
}
export function cancelAll(turn: Turn, symbol: string | undefined): Answer {
  const gone = turn.state.orders.filter((o) => symbol === undefined || o.symbol === symbol)
  for (const order of gone) cancelOrder(turn, order, 'requested')
  return { ok: true, cancelled: gone.map((o) => o.id) }
}
