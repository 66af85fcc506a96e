import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import type { Command } from '@assay/core/domain/engine/types'
import type { Verb } from '../deps.ts'
import { takenAnswer } from '../engine-reply.ts'
import { fillsOf } from './first-fills.ts'
import { answeredOrder } from './order-row.ts'

/** Hands a command that trades to the account's owner; the answer holds the order, its legs, fills and the receipt, all durable. */
export async function orderAnswer(
  { ctx, input, deps }: Verb<{ id: string }>,
  command: Extract<Command, { op: 'order' | 'amend' | 'close' }>,
): Promise<OrderAnswer> {
  const meta = { commandId: Bun.randomUUIDv7(), requestId: ctx.requestId }
  const reply = takenAnswer(await deps.engine.submit(input.id, command, meta))
  const { order, legs = [] } = reply.answer
  return {
    order: answeredOrder(order!),
    legs: legs.map(answeredOrder),
    fills: await fillsOf(deps, input.id, [order!, ...legs], reply),
    receipt: reply.receipt,
    replayed: reply.replayed,
  }
}
