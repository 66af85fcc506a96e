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
  const tiers = await deps.db.prisma.tier.findMany({
    where: {
      tenant: tenantOf(ctx),
      active: true,
      ...(input.cursor && { id: { gt: input.cursor } }),
      ...(input.currency && { document: { path: ['currency'], equals: input.currency } }),
    },
    orderBy: { id: 'asc' },
    take: input.limit + 1,
  })
  return toPage(tiers, input.limit, tierOf, ({ id }) => id)
}
