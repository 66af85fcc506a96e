import type { OrderResource } from '@assay/core/contracts/wire/order'
import { dec, str } from '@assay/core/domain/money/dec'
import type { Row } from '@assay/core/ports/db/port'
import { iso } from '../time.ts'

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
  filled: string
  status: OrderResource['status']
  reason: string | null
  aseq: string
  mseq: string
  mts: string
  updated_mts: string
}
export const ORDER_COLUMNS = `order_id, client_order_id, phase, symbol, side, type, time_in_force, quantity, price, filled, status, reason,
  aseq, mseq, mts, updated_mts`

const ID = /^o(\d{1,15})$/
/** Where an order's command stands in the journal; null: no order is called so. */
export function aseqOf(id: string): number | null {
  const digits = ID.exec(id)?.[1]
  return digits === undefined ? null : Number(digits)
}

export const orderOf = (row: OrderRow): OrderResource => ({
  id: row.order_id,
  client_order_id: row.client_order_id,
  phase: row.phase,
  symbol: row.symbol,
  side: row.side,
  type: row.type,
  time_in_force: row.time_in_force,
  quantity: str(dec(row.quantity)),
  price: row.price === null ? null : str(dec(row.price)),
  filled: str(dec(row.filled)),
  status: row.status,
  reason: row.reason,
  mseq: Number(row.mseq),
  created_at: iso(row.mts),
  updated_at: iso(row.updated_mts),
})
