import { AssayError } from '@assay/core/contracts/errors'
import type { TierResource } from '@assay/core/contracts/wire/purchase'
import { tenantOf } from '../access.ts'
import type { TradingDeps, Verb } from '../deps.ts'
import { tierOf } from './tier-row.ts'

/** A tier on sale, by id. */
export const getTier = ({ ctx, input, deps }: Verb<{ id: string }>): Promise<TierResource> =>
  deps.tiers.load(tenantOf(ctx), input.id, () => tierOnSale(deps, tenantOf(ctx), input.id))

/** As it is on sale at this moment: what a purchase pins. */
export async function tierOnSale({ db }: TradingDeps, tenant: string, id: string): Promise<TierResource> {
  const tier = await db.prisma.tier.findFirst({ where: { tenant, id, active: true } })
  if (!tier) throw new AssayError('not_found', `No tier ${id} is on sale.`)
  return tierOf(tier)
}
