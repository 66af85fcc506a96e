import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Verb } from '../deps.ts'
import { queueLetter } from '../letters/queue-letter.ts'
import { confirmPassword } from '../passwords/confirm-password.ts'
import { endOtherSessions } from '../sessions/end-sessions.ts'
import { mayNeedFactor } from '../sessions/session-scopes.ts'
import { deleteKey } from './factor-key.ts'
import { showFactor } from './show-factor.ts'

/** Turns the second factor off, for a password and a code; the user's other sessions end. Not where it is wanted. */
export async function disableFactor({ ctx, input, deps }: Verb<{ password: string; code: string }>): Promise<void> {
  const account = await confirmPassword(deps, ctx, input.password)
  if (account.totpKey === null) throw new AssayError('conflict', 'The second factor is not on.')
  if (mayNeedFactor(account.role) && (deps.requireFactor || account.tenantWantsFactor))
    throw new AssayError('forbidden', 'Operators and admins need a second factor here.')
  const { totpKey } = account
  await showFactor(deps, { account, code: input.code, address: ctx.address })
  const ended = await deps.database.inTransaction(async (sql) => {
    await sql.query('delete from second_factors where user_id = $1', [account.id])
    await sql.query('delete from recovery_codes where user_id = $1', [account.id])
    const { id: actor, tenant } = account
    await recordAudit(sql, { action: 'second_factor.disabled', actor, tenant, detail: {} })
    await queueLetter(sql, deps.clock, { kind: 'second_factor_changed', userId: actor, data: { how: 'off' } })
    const ended = await endOtherSessions(sql, { userId: account.id, keep: ctx.actor!.sessionId })
    await deleteKey(deps, totpKey)
    return ended
  })
  for (const id of ended) deps.verifier.revokeSession(id)
}
