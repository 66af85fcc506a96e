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
  const tier = await db.prisma.tier.findFirst({ where: { tenant, id } })
  if (!tier?.active) throw notOnSale(id, tier !== null)
  return tierOf(tier)
}
/** Of a retired tier it is said that it was one, and how it is sold again. */
export const notOnSale = (id: string, retired: boolean): AssayError =>
  new AssayError(
    'not_found',
    retired
      ? `The tier ${id} is no longer on sale; an operator sells a new version of it by POST /api/tiers with its id.`
      : `There is no tier ${id}.`,
  )
