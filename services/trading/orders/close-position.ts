import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import type { CloseRequest } from '@assay/core/contracts/wire/order-request'
import { fromPathSymbol } from '@assay/core/domain/instruments/symbol'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { orderAnswer } from './order-answer.ts'

/** Closes a position, or a part of it, at the market: by its id or, in a netting account, by its symbol (`BTC-USD`). */
export async function closePosition(
  verb: Verb<{ id: string; position: string; close: CloseRequest }>,
): Promise<OrderAnswer> {
  await openAssessment(verb, 'orders:write')
  const { position, close } = verb.input
  return orderAnswer(verb, {
    op: 'close',
    position: /^o\d/.test(position) ? position : fromPathSymbol(position),
    ...close,
  })
}
