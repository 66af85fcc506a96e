import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Verb } from '../deps.ts'
import { announceRevoked } from '../events/announce-revoked.ts'
import { endableBy } from './owner.ts'
import { requireRecentLogin } from './require-recent-login.ts'

/**
 * Ends a session of one's own, or, for an operator, of the tenant: its tokens are refused at once. Another one than that
 * which asks is ended by who has authenticated a moment ago.
 */
export async function endSession({ ctx, input, deps }: Verb<{ id: string }>): Promise<void> {
  const { actor, sql: mayEnd, params } = endableBy(ctx)
  await deps.database.inTransaction(async (sql) => {
    const [ended] = await sql.query<{ user_id: string; tenant: string }>(
      `delete from sessions s using users u where s.id = $1 and u.id = s.user_id and ${mayEnd}
       returning s.user_id, u.tenant`,
      [input.id, ...params],
    )
    if (!ended) throw new AssayError('not_found', 'There is no such session.')
    if (input.id !== actor.sessionId) await requireRecentLogin(sql, deps, actor)
    await announceRevoked(sql, { what: 'session', id: input.id, userId: ended.user_id })
    const detail = { session: input.id, owner: ended.user_id }
    await recordAudit(sql, { action: 'session.ended', actor: actor.userId, tenant: ended.tenant, detail })
  })
  deps.verifier.revokeSession(input.id)
}
