import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { announceRevoked } from '../events/announce-revoked.ts'

/** Revokes one of the actor's keys, or, for an operator, any key of the tenant, for the house's any key: no request passes with it any more. */
export async function revokeKey({ ctx, input, deps }: Verb<{ id: string }>): Promise<void> {
  const actor = requireScope(ctx, 'keys:write')
  await deps.database.inTransaction(async (sql) => {
    const [revoked] = await sql.query<{ user_id: string; tenant: string }>(
      `update api_keys k set revoked_at = $2 from users u
        where k.id = $1 and k.revoked_at is null and u.id = k.user_id and (u.id = $3 or $4 and (u.tenant = $5 or $6))
        returning k.user_id, u.tenant`,
      [
        input.id,
        new Date(deps.clock.now()),
        actor.userId,
        actor.scopes.includes('ops:write'),
        actor.tenant,
        isHouse(actor),
      ],
    )
    if (!revoked) throw new AssayError('not_found', 'There is no such key.')
    await announceRevoked(sql, { what: 'key', id: input.id, userId: revoked.user_id })
    await recordAudit(sql, {
      action: 'api_key.revoked',
      actor: actor.userId,
      tenant: revoked.tenant,
      detail: { key: input.id },
    })
  })
  deps.verifier.revokeKey(input.id)
}
