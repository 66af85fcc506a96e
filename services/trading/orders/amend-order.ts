import { AssayError } from '@assay/core/contracts/errors'
import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import { type AmendRequest, amendBody } from '@assay/core/contracts/wire/order-request'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { findOrder } from './get-order.ts'
import { orderAnswer } from './order-answer.ts'

/** Changes a working or pending order; a price that crosses trades at once. Throws not_found for one that never was. */
export async function amendOrder(
  verb: Verb<{ id: string; order: string; change: AmendRequest }>,
): Promise<OrderAnswer> {
  await openAssessment(verb, 'orders:write')
  const { input, deps } = verb
  const known = await findOrder(deps, input.id, input.order)
  if (!known) throw new AssayError('not_found', `No order ${input.order}.`)
  return orderAnswer(verb, { op: 'amend', order: known.order_id, ...amendBody(input.change) })
}
