import { recordAudit } from '@assay/core/kernel/audit'
import { requireHouse } from '@assay/core/kernel/auth'
import type { SigningKeyReplaced } from '../auth/schemas.ts'
import type { Verb } from '../deps.ts'
import { requireFreshFactor } from '../second-factor/require-fresh-factor.ts'

/** A new key for access tokens now, before its day: nobody is logged out by it. */
export async function replaceSigningKey({ ctx, deps }: Omit<Verb<never>, 'input'>): Promise<SigningKeyReplaced> {
  const actor = requireHouse(ctx, 'ops:write')
  await requireFreshFactor(deps, actor)
  const { kid, signsFrom } = await deps.keys.replace()
  await deps.database.inTransaction((sql) =>
    recordAudit(sql, {
      action: 'signing_key.replaced',
      actor: actor.userId,
      tenant: actor.tenant,
      detail: { kid },
    }),
  )
  return { kid, signs_from: new Date(signsFrom).toISOString() }
}
