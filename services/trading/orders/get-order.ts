import { AssayError } from '@assay/core/contracts/errors'
import type { OrderResource } from '@assay/core/contracts/wire/order'
import { openAssessment } from '../access.ts'
import type { TradingDeps, Verb } from '../deps.ts'
import { withLiveStops } from './live-stops.ts'
import { ORDER_COLUMNS, type OrderRow, orderOf } from './order-row.ts'

/** One order by its name or `client:<client_order_id>`; the stop of a trailing one is where it stands now. */
export async function getOrder(verb: Verb<{ id: string; order: string }>): Promise<OrderResource> {
  await openAssessment(verb, 'trading:read')
  const row = await findOrder(verb.deps, verb.input.id, verb.input.order)
  if (!row) throw new AssayError('not_found', `No order ${verb.input.order}.`)
  const [order] = await withLiveStops(verb.deps, verb.input.id, [orderOf(row)])
  return order!
}

const CLIENT = 'client:'
/** The row of an order; client ids are looked up in the journal, which indexes them. */
export async function findOrder(deps: TradingDeps, account: string, name: string): Promise<OrderRow | null> {
  const [row] = name.startsWith(CLIENT)
    ? await deps.db.query<OrderRow>(
        `select ${ORDER_COLUMNS} from trading.orders where account = $1
         and order_id = (select 'o' || aseq from trading.journal where account = $1 and client_order_id = $2)`,
        [account, name.slice(CLIENT.length)],
      )
    : await deps.db.query<OrderRow>(
        `select ${ORDER_COLUMNS} from trading.orders where account = $1 and order_id = $2`,
        [account, name],
      )
  return row ?? null
}
