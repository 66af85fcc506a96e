import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import type { TierResource } from '@assay/core/contracts/wire/purchase'
import { tenantOf } from '../access.ts'
import type { Verb } from '../deps.ts'
import { type TierRow, tierOf } from './tier-row.ts'

/** The public catalogue, by id. */
export async function listTiers({
  ctx,
  input,
  deps,
}: Verb<PageQuery & { currency?: string }>): Promise<Page<TierResource>> {
  const rows = await deps.db.query<TierRow>(
    `select id, version, hash, document from trading.tier
     where tenant = $1 and active and id > $2 and ($3::text is null or document ->> 'currency' = $3)
     order by id limit $4`,
    [tenantOf(ctx), input.cursor ?? '', input.currency ?? null, input.limit + 1],
  )
  return toPage(rows, input.limit, tierOf, (row) => row.id)
}
