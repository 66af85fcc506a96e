import { AssayError } from '@assay/core/contracts/errors'
import type { TierResource } from '@assay/core/contracts/wire/purchase'
import { tenantOf } from '../access.ts'
import type { Verb } from '../deps.ts'
import { tierOf } from './tier-row.ts'

/** A tier on sale, by id. */
export async function getTier({ ctx, input, deps }: Verb<{ id: string }>): Promise<TierResource> {
  const tier = await deps.db.prisma.tier.findFirst({ where: { tenant: tenantOf(ctx), id: input.id, active: true } })
  if (!tier) throw new AssayError('not_found', `No tier ${input.id} is on sale.`)
  return tierOf(tier)
}
