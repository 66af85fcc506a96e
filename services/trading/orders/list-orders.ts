import type { OrderResource } from '@assay/core/contracts/wire/order'
import { numberCursor, type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import { openAssessment } from '../access.ts'
import { CURRENT_PHASE, type PhaseInput } from '../accounts/live.ts'
import type { Verb } from '../deps.ts'
import { ORDER_COLUMNS, type OrderRow, orderOf } from './order-row.ts'

export interface OrderFilter {
  status?: string | undefined
  symbol?: string | undefined
}

/** Orders of a phase, newest first. */
export async function listOrders(verb: Verb<PageQuery & PhaseInput & OrderFilter>): Promise<Page<OrderResource>> {
  await openAssessment(verb, 'trading:read')
  const { input, deps } = verb
  const rows = await deps.db.query<OrderRow>(
    `select ${ORDER_COLUMNS} from trading.orders where account = $1 and phase = ${CURRENT_PHASE} and ($3::bigint is null or aseq < $3)
       and ($4::text is null or status = $4) and ($5::text is null or symbol = $5)
     order by aseq desc limit $6`,
    [
      input.id,
      input.phase ?? null,
      numberCursor(input.cursor),
      input.status ?? null,
      input.symbol ?? null,
      input.limit + 1,
    ],
  )
  return toPage(rows, input.limit, orderOf, (row) => row.aseq)
}
