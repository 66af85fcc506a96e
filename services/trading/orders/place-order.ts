import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import { type OrderRequest, orderBody } from '@assay/core/contracts/wire/order-request'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { orderAnswer } from './order-answer.ts'

/**
 * Places an order of any type. A repeat of the client_order_id gets the first answer. Throws the engine's refusals as
 * AssayErrors, by code.
 */
export async function placeOrder(verb: Verb<{ id: string; order: OrderRequest }>): Promise<OrderAnswer> {
  await openAssessment(verb, 'orders:write')
  return orderAnswer(verb, { op: 'order', ...orderBody(verb.input.order) })
}
