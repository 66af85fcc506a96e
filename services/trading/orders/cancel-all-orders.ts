import type { CancelAnswer } from '@assay/core/contracts/wire/order'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { takenAnswer } from '../engine-reply.ts'

/** Cancels every working order, or those of one symbol; none is no error. */
export async function cancelAllOrders(verb: Verb<{ id: string; symbol?: string | undefined }>): Promise<CancelAnswer> {
  await openAssessment(verb, 'orders:write')
  const { ctx, input, deps } = verb
  const command = { op: 'cancel_all' as const, ...(input.symbol === undefined ? {} : { symbol: input.symbol }) }
  const meta = { commandId: Bun.randomUUIDv7(), requestId: ctx.requestId }
  const reply = takenAnswer(await deps.engine.submit(input.id, command, meta))
  return { cancelled: reply.answer.cancelled ?? [], receipt: reply.receipt }
}
