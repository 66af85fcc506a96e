import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { requireFreshFactor } from '../second-factor/require-fresh-factor.ts'
import { pinAccount } from './pin-login.ts'

/** An operator of the account's tenant, or of the house, gives the PIN its tries back. */
export async function unlockPin({ ctx, deps }: Omit<Verb<never>, 'input'>): Promise<void> {
  const actor = requireScope(ctx, 'users:write')
  const account = await pinAccount(deps)
  if (!account || (account.tenant !== actor.tenant && !isHouse(actor)))
    throw new AssayError('not_found', 'There is no PIN to unlock.')
  await requireFreshFactor(deps, actor)
  await deps.database.inTransaction(async (sql) => {
    await sql.query('update pin_accounts set locked_at = null where user_id = $1', [account.id])
    await sql.query('delete from pin_attempts where user_id = $1', [account.id])
    const { userId, tenant } = actor
    await recordAudit(sql, { action: 'pin.unlocked', actor: userId, tenant, detail: { account: account.id } })
  })
}
