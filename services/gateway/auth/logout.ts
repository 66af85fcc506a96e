import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireActor } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { announceRevoked } from '../events/announce-revoked.ts'

/** Ends the session of the access token: its refresh tokens with the row, its access tokens at once. */
export async function logout({ ctx, deps }: Omit<Verb<never>, 'input'>): Promise<void> {
  const { sessionId, userId, tenant } = requireActor(ctx)
  if (!sessionId) throw new AssayError('forbidden', 'An API key has no session to end; delete the key instead.')
  await deps.database.inTransaction(async (sql) => {
    await sql.query('delete from sessions where id = $1', [sessionId])
    await announceRevoked(sql, { what: 'session', id: sessionId, userId })
    await recordAudit(sql, { action: 'logout', actor: userId, tenant, detail: { session: sessionId } })
  })
  deps.verifier.revokeSession(sessionId)
}
