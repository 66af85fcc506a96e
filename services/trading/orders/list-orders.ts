import { AssayError } from '@assay/core/contracts/errors'
import type { OrderResource } from '@assay/core/contracts/wire/order'
import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import { openAssessment } from '../access.ts'
import { CURRENT_PHASE, type PhaseInput } from '../accounts/live.ts'
import type { Verb } from '../deps.ts'
import { withLiveStops } from './live-stops.ts'
import { ORDER_COLUMNS, type OrderRow, orderOf } from './order-row.ts'

export interface OrderFilter {
  status?: string | undefined
  symbol?: string | undefined
}

/** Orders of a phase, newest first; the stop of a trailing one is where it stands now. */
export async function listOrders(verb: Verb<PageQuery & PhaseInput & OrderFilter>): Promise<Page<OrderResource>> {
  await openAssessment(verb, 'trading:read')
  const { input, deps } = verb
  const after = placeOf(input.cursor)
  const rows = await deps.db.query<OrderRow>(
    `select ${ORDER_COLUMNS} from trading.orders where account = $1 and phase = ${CURRENT_PHASE} and ($3::bigint is null or (aseq, order_id) < ($3, $7))
       and ($4::text is null or status = $4) and ($5::text is null or symbol = $5)
     order by aseq desc, order_id desc limit $6`,
    [
      input.id,
      input.phase ?? null,
      after?.aseq ?? null,
      input.status ?? null,
      input.symbol ?? null,
      input.limit + 1,
      after?.order ?? null,
    ],
  )
  const page = toPage(rows, input.limit, orderOf, (row) => `${row.aseq}.${row.order_id}`)
  return { ...page, items: await withLiveStops(deps, input.id, page.items) }
}

/** Legs share their command's record, so a place in the list is a record and an order. */
function placeOf(cursor: string | undefined): { aseq: number; order: string } | null {
  if (cursor === undefined) return null
  const [, aseq, order] = /^(\d{1,15})\.(o[\da-z.]{1,40})$/.exec(cursor) ?? []
  if (aseq === undefined)
    throw new AssayError('validation_failed', 'The cursor is not one that a list gave.', { field: 'cursor' })
  return { aseq: Number(aseq), order: order! }
}
