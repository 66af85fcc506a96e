import { recordAudit } from '@assay/core/kernel/audit'
import type { Sql } from '@assay/core/ports/db/port'
import { announceRevoked } from '../events/announce-revoked.ts'

export interface MisusedSession {
  session_id: string
  user_id: string
  tenant: string
  /** the OAuth client that holds it */
  client_id: string | null
}

/** What can be used once was used twice: two hold it, and nobody can tell whose the session is. It ends. */
export async function endMisused(
  sql: Sql,
  action: 'session.reuse_detected' | 'oauth.code_misused',
  { session_id: session, user_id: userId, tenant, client_id: client }: MisusedSession,
): Promise<{ ended: string }> {
  await sql.query('delete from sessions where id = $1', [session])
  await announceRevoked(sql, { what: 'session', id: session, userId })
  await recordAudit(sql, { action, actor: userId, tenant, detail: { session, ...(client && { client }) } })
  return { ended: session }
}
