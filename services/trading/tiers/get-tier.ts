import { AssayError } from '@assay/core/contracts/errors'
import type { TierResource } from '@assay/core/contracts/wire/purchase'
import { tenantOf } from '../access.ts'
import type { Verb } from '../deps.ts'
import { type TierRow, tierOf } from './tier-row.ts'

/** A tier on sale, by id. */
export async function getTier({ ctx, input, deps }: Verb<{ id: string }>): Promise<TierResource> {
  const [row] = await deps.db.query<TierRow>(
    'select id, version, hash, document from trading.tier where tenant = $1 and id = $2 and active',
    [tenantOf(ctx), input.id],
  )
  if (!row) throw new AssayError('not_found', `No tier ${input.id} is on sale.`)
  return tierOf(row)
}
