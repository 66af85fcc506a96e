import type { OrderPreview } from '@assay/core/contracts/wire/order-preview'
import { type OrderRequest, orderBody } from '@assay/core/contracts/wire/order-request'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { costOf } from './first-fills.ts'
import { answeredOrder } from './order-row.ts'
import { worstCase } from './worst-case.ts'

/** What the order would do if it were placed now; nothing is journalled, no client_order_id is used up. */
export async function previewOrder(verb: Verb<{ id: string; order: OrderRequest }>): Promise<OrderPreview> {
  await openAssessment(verb, 'trading:read')
  const { input, deps } = verb
  const { preview, mseq } = await deps.engine.preview(input.id, orderBody(input.order))
  const { refusal, order, legs, fills, ...standing } = preview
  return {
    refusal: refusal && {
      code: refusal.code,
      detail: refusal.detail,
      field: refusal.field ?? null,
      nearest: refusal.nearest ?? null,
    },
    order: order && answeredOrder(order),
    legs: legs.map(answeredOrder),
    fills: fills.map((fill) => ({ ...fill, fee: costOf({ booked: fill.fee }) })),
    ...standing,
    worst_case: refusal ? null : worstCase(preview),
    mseq,
  }
}
