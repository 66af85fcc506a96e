import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { notOnSale } from './get-tier.ts'

/** Takes a tier off sale; what was bought of it goes on. */
export async function retireTier({ ctx, input, deps }: Verb<{ id: string }>): Promise<void> {
  const actor = requireScope(ctx, 'ops:write')
  const retired = await deps.db.tx(async (sql) => {
    const [row] = await sql.query(
      `update trading.tier set active = false, origin = 'operator' where tenant = $1 and id = $2 and active returning id`,
      [actor.tenant, input.id],
    )
    if (!row) return false
    const detail = { tier: input.id }
    await recordAudit(sql, { action: 'tier.retired', actor: actor.userId, tenant: actor.tenant, detail })
    return true
  })
  if (!retired) {
    const tier = await deps.db.prisma.tier.findFirst({ where: { tenant: actor.tenant, id: input.id } })
    throw notOnSale(input.id, tier !== null)
  }
  deps.tiers.changed(actor.tenant)
}
