import { recordAudit } from '@assay/core/kernel/audit'
import type { Ctx } from '@assay/core/kernel/context'
import type { Sql } from '@assay/core/ports/db/port'
import { announceRevoked } from '../events/announce-revoked.ts'

/** Ends the session that a client shows while its user logs in anew, in that transaction; its id, or null. */
export async function replaceSession(
  sql: Sql,
  { ctx, userId, by }: { ctx: Pick<Ctx, 'actor'>; userId: string; by: string },
): Promise<string | null> {
  const shown = ctx.actor?.sessionId
  if (!shown || ctx.actor?.userId !== userId) return null
  const [ended] = await sql.query<{ tenant: string }>(
    `delete from sessions s using users u where s.id = $1 and s.user_id = $2 and u.id = s.user_id returning u.tenant`,
    [shown, userId],
  )
  if (!ended) return null
  await announceRevoked(sql, { what: 'session', id: shown, userId })
  const detail = { session: shown, owner: userId, by }
  await recordAudit(sql, { action: 'session.ended', actor: userId, tenant: ended.tenant, detail })
  return shown
}
