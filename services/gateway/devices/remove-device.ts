import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Verb } from '../deps.ts'
import { announceRevoked } from '../events/announce-revoked.ts'
import { endableBy } from '../sessions/owner.ts'
import { requireRecentLogin } from '../sessions/require-recent-login.ts'

/** Forgets a device of one's own, or, for an operator, of the tenant; the sessions that were opened on it end. */
export async function removeDevice({ ctx, input, deps }: Verb<{ id: string }>): Promise<void> {
  const { actor, sql: mayEnd, params } = endableBy(ctx)
  const ended = await deps.database.inTransaction(async (sql) => {
    const [device] = await sql.query<{ user_id: string; tenant: string }>(
      `select d.user_id, u.tenant from devices d join users u on u.id = d.user_id where d.id = $1 and ${mayEnd}
         for update of d`,
      [input.id, ...params],
    )
    if (!device) throw new AssayError('not_found', 'There is no such device.')
    const [other] = await sql.query(
      'select 1 from sessions where device_id = $1 and ($2::uuid is null or id <> $2) limit 1',
      [input.id, actor.sessionId ?? null],
    )
    if (other) await requireRecentLogin(sql, deps, actor)
    const sessions = await sql.query<{ id: string }>('delete from sessions where device_id = $1 returning id', [
      input.id,
    ])
    for (const { id } of sessions) await announceRevoked(sql, { what: 'session', id, userId: device.user_id })
    await sql.query('delete from devices where id = $1', [input.id])
    const detail = { device: input.id, owner: device.user_id }
    await recordAudit(sql, { action: 'device.removed', actor: actor.userId, tenant: device.tenant, detail })
    return sessions
  })
  for (const { id } of ended) deps.verifier.revokeSession(id)
}
