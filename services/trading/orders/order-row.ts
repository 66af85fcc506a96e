import type { AnsweredOrder, OrderResource } from '@assay/core/contracts/wire/order'
import type { OrderView } from '@assay/core/domain/engine/types'
import { dec, str } from '@assay/core/domain/money/dec'
import type { Row } from '@assay/core/ports/db/port'
import { iso, isoOrNull } from '../time.ts'

export interface OrderRow extends Row {
  order_id: string
  client_order_id: string | null
  phase: number
  symbol: string
  side: OrderResource['side']
  type: OrderResource['type']
  time_in_force: OrderResource['time_in_force']
  quantity: string
  price: string | null
  stop_price: string | null
  trail: OrderResource['trail']
  activation_price: string | null
  expires_mts: string | null
  reduce_only: boolean
  post_only: boolean
  parent: string | null
  oco: string | null
  position: string | null
  filled: string
  status: OrderResource['status']
  reason: string | null
  aseq: string
  mseq: string
  mts: string
  updated_mts: string
}
export const ORDER_COLUMNS = `order_id, client_order_id, phase, symbol, side, type, time_in_force, quantity, price, stop_price, trail,
  activation_price, expires_mts, reduce_only, post_only, parent, oco, position, filled, status, reason, aseq, mseq, mts, updated_mts`

const plain = (value: string): string => str(dec(value))
const plainOrNull = (value: string | null): string | null => (value === null ? null : plain(value))

export const orderOf = (row: OrderRow): OrderResource => ({
  id: row.order_id,
  client_order_id: row.client_order_id,
  phase: row.phase,
  symbol: row.symbol,
  side: row.side,
  type: row.type,
  time_in_force: row.time_in_force,
  quantity: plain(row.quantity),
  price: plainOrNull(row.price),
  stop_price: plainOrNull(row.stop_price),
  trail: row.trail,
  activation_price: plainOrNull(row.activation_price),
  expires_at: isoOrNull(row.expires_mts),
  reduce_only: row.reduce_only,
  post_only: row.post_only,
  parent: row.parent,
  oco: row.oco,
  position: row.position,
  filled: plain(row.filled),
  status: row.status,
  reason: row.reason,
  mseq: Number(row.mseq),
  created_at: iso(row.mts),
  updated_at: iso(row.updated_mts),
})

/** As the engine answers it. */
export const answeredOrder = (order: OrderView): AnsweredOrder => ({
  id: order.id,
  client_order_id: order.client_order_id ?? null,
  symbol: order.symbol,
  side: order.side,
  type: order.type,
  time_in_force: order.time_in_force,
  quantity: order.quantity,
  price: order.price ?? null,
  stop_price: order.stop_price ?? null,
  trail: order.trail ?? null,
  activation_price: order.activation_price ?? null,
  expires_at: order.expires_at === undefined ? null : iso(order.expires_at),
  reduce_only: order.reduce_only ?? false,
  post_only: order.post_only ?? false,
  parent: order.parent ?? null,
  oco: order.oco ?? null,
  position: order.position ?? null,
  filled: order.filled,
  status: order.status,
  reason: order.reason ?? null,
  created_at: iso(order.created_at),
})
