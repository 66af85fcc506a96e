import type { OrderAnswer, OrderRequest } from '@assay/core/contracts/wire/order'
import type { OrderView } from '@assay/core/domain/engine/types'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { takenAnswer } from '../engine-reply.ts'
import { iso } from '../time.ts'
import { fillsOf } from './first-fills.ts'

/**
 * Hands the order to the account's owner and answers with what it decided, its fills and the receipt, all durable. A
 * repeat of the client_order_id gets the first answer. Throws the engine's refusals as AssayErrors, by code.
 */
export async function placeOrder(verb: Verb<{ id: string; order: OrderRequest }>): Promise<OrderAnswer> {
  await openAssessment(verb, 'orders:write')
  const { ctx, input, deps } = verb
  const meta = { commandId: Bun.randomUUIDv7(), requestId: ctx.requestId }
  const reply = takenAnswer(await deps.engine.submit(input.id, { op: 'order', ...input.order }, meta))
  const order = reply.answer.order!
  return {
    order: shownOrder(order),
    fills: await fillsOf(deps, input.id, order, reply),
    receipt: reply.receipt,
    replayed: reply.replayed,
  }
}

const shownOrder = (order: OrderView): OrderAnswer['order'] => ({
  id: order.id,
  client_order_id: order.client_order_id ?? null,
  symbol: order.symbol,
  side: order.side,
  type: order.type,
  time_in_force: order.time_in_force,
  quantity: order.quantity,
  price: order.price ?? null,
  filled: order.filled,
  status: order.status,
  reason: order.reason ?? null,
  created_at: iso(order.created_at),
})
