import { z } from 'zod'
import { ReceiptResource } from './assessment.ts'
import { Instant } from './decimal.ts'
import { orderType, side, timeInForce } from './order-request.ts'

export const OrderStatus = z.enum(['pending', 'working', 'filled', 'cancelled', 'rejected', 'expired'])
const Trail = z.object({ offset: z.string().optional(), pct: z.string().optional() })
export const OrderResource = z.object({
  id: z.string(),
  client_order_id: z.string().nullable(),
  phase: z.int(),
  symbol: z.string(),
  side,
  type: orderType,
  time_in_force: timeInForce,
  quantity: z.string(),
  price: z.string().nullable(),
  /** the trigger; a trailing stop's own moves with the market and is its last one that was written */
  stop_price: z.string().nullable(),
  trail: Trail.nullable(),
  activation_price: z.string().nullable(),
  expires_at: Instant.nullable(),
  reduce_only: z.boolean(),
  post_only: z.boolean(),
  /** the entry whose exit it is */
  parent: z.string().nullable(),
  /** the other leg: a fill of one shrinks the other */
  oco: z.string().nullable(),
  /** hedging accounts: the position that it reduces */
  position: z.string().nullable(),
  filled: z.string(),
  status: OrderStatus,
  reason: z.string().nullable(),
  mseq: z.int(),
  created_at: Instant,
  updated_at: Instant,
})
export type OrderResource = z.output<typeof OrderResource>

/** A fill of an order's first answer, in short; GET trades has all of it. */
const FillSummary = z.object({
  id: z.string(),
  order_id: z.string(),
  quantity: z.string(),
  price: z.string(),
  fee: z.string(),
  liquidity: z.enum(['maker', 'taker']),
  mseq: z.int(),
})
export const AnsweredOrder = OrderResource.omit({ phase: true, mseq: true, updated_at: true })
export type AnsweredOrder = z.output<typeof AnsweredOrder>
export const OrderAnswer = z.object({
  order: AnsweredOrder,
  /** both legs of an OCO, the exits of a bracket that exist already; [] of a single order */
  legs: z.array(AnsweredOrder),
  fills: z.array(FillSummary),
  receipt: ReceiptResource,
  /** a repeat of this client_order_id: the first answer again */
  replayed: z.boolean(),
})
export type OrderAnswer = z.output<typeof OrderAnswer>
export const CancelAnswer = z.object({ cancelled: z.array(z.string()), receipt: ReceiptResource })
export type CancelAnswer = z.output<typeof CancelAnswer>
