import { AssayError } from '@assay/core/contracts/errors'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'

/** Takes a tier off sale; what was bought of it goes on. */
export async function retireTier({ ctx, input, deps }: Verb<{ id: string }>): Promise<void> {
  const actor = requireScope(ctx, 'ops:write')
  const [retired] = await deps.db.query(
    `update trading.tier set active = false, origin = 'operator' where tenant = $1 and id = $2 and active returning id`,
    [actor.tenant, input.id],
  )
  if (!retired) throw new AssayError('not_found', `No tier ${input.id} is on sale.`)
  deps.tiers.changed(actor.tenant)
}
