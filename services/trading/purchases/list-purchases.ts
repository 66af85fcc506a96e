import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import type { PurchaseResource } from '@assay/core/contracts/wire/purchase'
import { requireScope } from '@assay/core/kernel/auth'
import { inTenant, ownerFilter } from '../access.ts'
import type { Verb } from '../deps.ts'
import { PURCHASE_COLUMNS, type PurchaseRow, purchaseOf } from './purchase-row.ts'

/** The caller's purchases, an operator's tenant's, newest first. */
export async function listPurchases({
  ctx,
  input,
  deps,
}: Verb<PageQuery & { status?: string | undefined }>): Promise<Page<PurchaseResource>> {
  const actor = requireScope(ctx, 'trading:read')
  const rows = await deps.db.query<PurchaseRow>(
    `select ${PURCHASE_COLUMNS} from trading.purchase p
     where ${inTenant(actor, 'p.tenant', '$1')} and ($2::text is null or p.user_id = $2) and ($3::text is null or p.id < $3) and ($4::text is null or p.status = $4)
     order by p.id desc limit $5`,
    [actor.tenant, ownerFilter(actor), input.cursor ?? null, input.status ?? null, input.limit + 1],
  )
  return toPage(rows, input.limit, purchaseOf, (row) => row.id)
}
