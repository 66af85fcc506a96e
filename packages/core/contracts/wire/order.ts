import { z } from 'zod'
import { AssayError } from '../errors.ts'
import { ReceiptResource } from './assessment.ts'
import { Decimal, Instant } from './decimal.ts'
import { SymbolName } from './instrument.ts'

const side = z.enum(['buy', 'sell'])
const ClientOrderId = z.string().regex(/^[\x21-\x7e]{1,64}$/, 'must be 1 to 64 printable characters without spaces')

/** POST orders. Grids, bounds, margin and the market are the engine's to judge: its refusals are journalled. */
export const OrderRequest = z
  .strictObject({
    symbol: SymbolName,
    side,
    type: z.enum(['market', 'limit']),
    quantity: Decimal,
    price: Decimal.optional(),
    time_in_force: z.enum(['gtc', 'ioc']).optional(),
    client_order_id: ClientOrderId.optional(),
  })
  .superRefine((order, ctx) => {
    const refuse = (field: string, message: string) => ctx.addIssue({ code: 'custom', path: [field], message })
    if (order.type === 'limit' && order.price === undefined) refuse('price', 'is needed for a limit order')
    if (order.type === 'market' && order.price !== undefined) refuse('price', 'goes with limit orders only')
    if (order.type === 'market' && order.time_in_force === 'gtc')
      refuse('time_in_force', 'a market order is always ioc')
  })
export type OrderRequest = z.output<typeof OrderRequest>

const LATER: Readonly<Record<string, readonly string[]>> = {
  type: ['stop', 'stop_limit', 'trailing_stop', 'bracket', 'oco'],
  time_in_force: ['fok', 'day', 'gtd'],
}
const LATER_FIELDS = [
  'reduce_only',
  'post_only',
  'stop_price',
  'trail',
  'activation_price',
  'take_profit',
  'stop_loss',
  'expires_at',
]

/** Refuses by name an order type, time in force or field of a later version; anything malformed is left to the schema. */
export function refuseLaterOrder(body: unknown): void {
  if (typeof body !== 'object' || body === null) return
  const fields = body as Record<string, unknown>
  for (const field in LATER) {
    const value = fields[field]
    if (typeof value === 'string' && LATER[field]!.includes(value)) {
      throw new AssayError('not_supported', `${field} ${value} is not supported yet.`, { field })
    }
  }
  for (const field of LATER_FIELDS) {
    if (field in fields) throw new AssayError('not_supported', `${field} is not supported yet.`, { field })
  }
}

export const OrderStatus = z.enum(['working', 'filled', 'cancelled', 'rejected'])
export const OrderResource = z.object({
  id: z.string(),
  client_order_id: z.string().nullable(),
  phase: z.int(),
  symbol: z.string(),
  side,
  type: z.enum(['market', 'limit']),
  time_in_force: z.enum(['gtc', 'ioc']),
  quantity: z.string(),
  price: z.string().nullable(),
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
  quantity: z.string(),
  price: z.string(),
  fee: z.string(),
  liquidity: z.enum(['maker', 'taker']),
  mseq: z.int(),
})
export const OrderAnswer = z.object({
  order: OrderResource.omit({ phase: true, mseq: true, updated_at: true }),
  fills: z.array(FillSummary),
  receipt: ReceiptResource,
  /** a repeat of this client_order_id: the first answer again */
  replayed: z.boolean(),
})
export type OrderAnswer = z.output<typeof OrderAnswer>
export const CancelAnswer = z.object({ cancelled: z.array(z.string()), receipt: ReceiptResource })
export type CancelAnswer = z.output<typeof CancelAnswer>
