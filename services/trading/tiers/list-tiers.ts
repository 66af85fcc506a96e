import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import type { TierResource } from '@assay/core/contracts/wire/purchase'
import { tenantOf } from '../access.ts'
import type { Verb } from '../deps.ts'
import { tierOf } from './tier-row.ts'

/** The public catalogue, by id. */
export async function listTiers({
  ctx,
  input,
  deps,
}: Verb<PageQuery & { currency?: string | undefined }>): Promise<Page<TierResource>> {
  const { cursor, currency, limit } = input
  const tenant = tenantOf(ctx)
  return deps.tiers.load(tenant, [cursor, currency, limit], async () => {
    const tiers = await deps.db.prisma.tier.findMany({
      where: {
        tenant,
        active: true,
        ...(cursor && { id: { gt: cursor } }),
        ...(currency && { document: { path: ['currency'], equals: currency } }),
      },
      orderBy: { id: 'asc' },
      take: limit + 1,
    })
    return toPage(tiers, limit, tierOf, ({ id }) => id)
  })
}
