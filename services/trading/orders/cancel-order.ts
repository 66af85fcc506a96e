import { AssayError } from '@assay/core/contracts/errors'
import type { CancelAnswer } from '@assay/core/contracts/wire/order'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { takenAnswer } from '../engine-reply.ts'
import { findOrder } from './get-order.ts'

/** Cancels a working order by `o<aseq>` or `client:<id>`. Throws not_found for one that never was, order_not_working for one that is done. */
export async function cancelOrder(verb: Verb<{ id: string; order: string }>): Promise<CancelAnswer> {
  await openAssessment(verb, 'orders:write')
  const { ctx, input, deps } = verb
  const known = await findOrder(deps, input.id, input.order)
  if (!known) throw new AssayError('not_found', `No order ${input.order}.`)
  const meta = { commandId: Bun.randomUUIDv7(), requestId: ctx.requestId }
  const reply = takenAnswer(await deps.engine.submit(input.id, { op: 'cancel', order: known.order_id }, meta))
  return { cancelled: reply.answer.cancelled ?? [], receipt: reply.receipt }
}
