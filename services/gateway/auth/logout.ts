import { AssayError } from '@assay/core/contracts/errors'
import { requireActor } from '@assay/core/kernel/auth'
import { recordAudit } from '../audit/record-audit.ts'
import type { Verb } from '../deps.ts'

/** Ends the session of the access token: its refresh tokens with the row, its access tokens at once. */
export async function logout({ ctx, deps }: Omit<Verb<never>, 'input'>): Promise<void> {
  const { sessionId, userId, tenant } = requireActor(ctx)
  if (!sessionId) throw new AssayError('forbidden', 'An API key has no session to end; delete the key instead.')
  await deps.database.inTransaction(async (sql) => {
    await sql.query('delete from sessions where id = $1', [sessionId])
    await recordAudit(sql, { action: 'logout', actor: userId, tenant, detail: { session: sessionId } })
  })
  deps.verifier.revokeSession(sessionId)
}
