import { AssayError } from '@assay/core/contracts/errors'
import type { TierResource } from '@assay/core/contracts/wire/purchase'
import { parseTier, type TierChange } from '@assay/core/contracts/wire/tier'
import { canonical } from '@assay/core/domain/journal/canonical'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { type IfMatch, requireMatch } from '../if-match.ts'
import { checkTier, requireAccepted } from './check-tier.ts'
import { tierOnSale } from './get-tier.ts'
import { hashOf, saveTier } from './save-tier.ts'

export interface ChangeTier extends IfMatch {
  id: string
  change: TierChange
}

/**
 * The next version of a tier: the fields said replace those of the document, `preset: null` takes the reference off.
 * What was bought keeps the version it was bought in. Throws precondition_failed where If-Match names another one.
 */
export async function changeTier({ ctx, input, deps }: Verb<ChangeTier>): Promise<TierResource> {
  const actor = requireScope(ctx, 'ops:write')
  const before = await tierOnSale(deps, actor.tenant, input.id)
  requireMatch(input, before.hash)
  const { accept_unverified: accepted = [], ...fields } = input.change
  const merged: Record<string, unknown> = { ...before.document, ...fields }
  if (merged.preset === null) delete merged.preset
  const document = parseTier(merged)
  if (canonical(document.preset ?? null) !== canonical(before.document.preset ?? null))
    requireAccepted(deps, document, accepted)
  await checkTier(deps, actor.tenant, document)
  const hash = hashOf(document)
  if (hash === before.hash) return before
  const tier = { id: before.id, version: before.version + 1, hash, document }
  const saved = await deps.db.tx(async (sql) => {
    const version = await saveTier(sql, { ...tier, tenant: actor.tenant, madeBy: actor.userId, accepted })
    if (version === null) return null
    const detail = { tier: tier.id, version, hash, before: before.hash }
    await recordAudit(sql, { action: 'tier.changed', actor: actor.userId, tenant: actor.tenant, detail })
    return version
  })
  if (saved === null) throw new AssayError('precondition_failed', 'Read it again: it has changed.')
  deps.tiers.changed(actor.tenant)
  return tier
}
