import { AssayError } from '@assay/core/contracts/errors'
import type { PurchaseResource } from '@assay/core/contracts/wire/purchase'
import { requireScope } from '@assay/core/kernel/auth'
import { inTenant, ownerFilter } from '../access.ts'
import type { Verb } from '../deps.ts'
import { PURCHASE_COLUMNS, type PurchaseRow, purchaseOf } from './purchase-row.ts'

/** One purchase; another's is as absent as one that does not exist. */
export async function getPurchase({ ctx, input, deps }: Verb<{ id: string }>): Promise<PurchaseResource> {
  const actor = requireScope(ctx, 'trading:read')
  const [row] = await deps.db.query<PurchaseRow>(
    `select ${PURCHASE_COLUMNS} from trading.purchase p where p.id = $1 and ${inTenant(actor, 'p.tenant', '$2')} and ($3::text is null or p.user_id = $3)`,
    [input.id, actor.tenant, ownerFilter(actor)],
  )
  if (!row) throw new AssayError('not_found', 'No such purchase.')
  return purchaseOf(row)
}
