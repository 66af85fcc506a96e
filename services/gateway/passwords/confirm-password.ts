import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Ctx } from '@assay/core/kernel/context'
import type { GatewayDeps } from '../deps.ts'
import { networkOf } from '../limits/client.ts'
import { type Account, accountById } from '../users/account.ts'

/**
 * The account of the session that asks, once it has said its password again: whoever found an open session is not let
 * through to what locks its owner out. Counted as logins are. Not for API keys and agents.
 */
export async function confirmPassword(
  deps: GatewayDeps,
  ctx: Ctx,
  password: string,
  field = 'password',
): Promise<Account> {
  const actor = requireScope(ctx, 'account:write')
  if (!actor.sessionId || actor.clientId)
    throw new AssayError('forbidden', 'Only the user does this, logged in; not an API key or an agent.')
  const attempt = await deps.guard.login({
    email: actor.userId,
    address: ctx.address,
    isKnownAddress: async () => true,
  })
  const account = await accountById(deps.database, actor.userId)
  const right = account?.password
    ? await deps.hasher.verify({ hash: account.password, password }).catch(async (error) => {
        await attempt.withdrawn()
        throw error
      })
    : false
  if (!account || !right) {
    const { userId, tenant } = actor
    const detail = { network: networkOf(ctx.address), kind: 'confirm' }
    await deps.database.inTransaction((sql) =>
      recordAudit(sql, { action: 'login.failed', actor: userId, tenant, detail }),
    )
    throw new AssayError('invalid_credentials', 'The password is wrong.', { field })
  }
  await attempt.succeeded()
  return account
}
