/** Two legs of which only one may fill: what one fills the other loses. */
import { type Dec, gt, sub } from '../../money/dec.ts'
import type { Order } from '../state.ts'
import type { Turn } from '../turn.ts'
import { cancelOrder, writeStanding } from './order-view.ts'

export const partnerOf = (turn: Turn, order: Order): Order | undefined =>
  order.oco === null ? undefined : turn.state.orders.find((o) => o.id === order.oco)

/** After a fill of `got`: the other leg is that much smaller; at zero it goes. */
export function shrinkPartner(turn: Turn, order: Order, got: Dec): void {
  const partner = partnerOf(turn, order)
  if (!partner) return
  partner.quantity = sub(partner.quantity, got)
  if (gt(partner.quantity, partner.filled)) writeStanding(turn, partner, 'amended', 'oco')
  else cancelOrder(turn, partner, 'oco')
}
/** An order's other leg is gone: it stands alone from now on. */
export function standAlone(turn: Turn, order: Order): void {
  const partner = partnerOf(turn, order)
  if (partner) partner.oco = null
}
