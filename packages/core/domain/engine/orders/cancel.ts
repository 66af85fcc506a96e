import { refuseExits } from '../order-rules.ts'
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
  const gone = partner ? [order, partner] : [order]
  const refusal = refuseExits(
    turn,
    turn.state.orders.filter((o) => !gone.includes(o)),
  )
  if (refusal) return refusal
  if (order.parent !== null) standAlone(turn, order)
  for (const each of gone) cancelOrder(turn, each, 'requested')
  return { ok: true, cancelled: gone.map((o) => o.id) }
}
/** A stop that a rule does not let go stays. */
export function cancelAll(turn: Turn, symbol: string | undefined): Answer {
  const gone: string[] = []
  for (const order of turn.state.orders.filter((o) => symbol === undefined || o.symbol === symbol)) {
    const left = turn.state.orders.filter((o) => o !== order)
    if (refuseExits(turn, left)) continue
    cancelOrder(turn, order, 'requested')
    gone.push(order.id)
  }
  // the other exit of one that went
  for (const order of turn.state.orders) if (order.oco !== null && gone.includes(order.oco)) order.oco = null
  return { ok: true, cancelled: gone }
}
