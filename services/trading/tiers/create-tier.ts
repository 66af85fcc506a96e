import { AssayError } from '@assay/core/contracts/errors'
import type { TierResource } from '@assay/core/contracts/wire/purchase'
import type { TierRequest } from '@assay/core/contracts/wire/tier'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { once } from '../idempotency/once.ts'
import { checkTier, requireAccepted } from './check-tier.ts'
import { hashOf, saveTier } from './save-tier.ts'

/** Puts a new tier on sale, or the next version of a retired one. Throws conflict when its id is on sale. */
export async function createTier({
  ctx,
  input,
  deps,
}: Verb<{ tier: TierRequest; key?: string | undefined }>): Promise<TierResource> {
  const actor = requireScope(ctx, 'ops:write')
  const { id: said, accept_unverified: accepted = [], ...document } = input.tier
  const id = said ?? idOf(document.name)
  const asked = { ctx, route: 'POST /api/tiers', key: input.key, body: input.tier }
  return once<TierResource>(deps, asked, async ({ keep }) => {
    requireAccepted(deps, document, accepted)
    await checkTier(deps, actor.tenant, document)
    const first = { id, version: 1, hash: hashOf(document), document }
    const tier = await deps.db.tx(async (sql) => {
      const version = await saveTier(sql, { ...first, tenant: actor.tenant, madeBy: actor.userId, accepted })
      if (version === null) return null
      const saved = { ...first, version }
      await recordAudit(sql, {
        action: 'tier.created',
        actor: actor.userId,
        tenant: actor.tenant,
        detail: { tier: id, version, hash: saved.hash },
      })
      await keep(sql, { value: saved })
      return saved
    })
    if (!tier)
      throw new AssayError('conflict', `A tier ${id} is on sale already: change it, or take another id.`, {
        field: 'id',
      })
    deps.tiers.changed(actor.tenant)
    return tier
  })
}

function idOf(name: string): string {
  const id = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64)
  if (!id) throw new AssayError('validation_failed', 'id: is needed, the name has no letters for one', { field: 'id' })
  return id
}
