import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'

/** Takes back an invitation that nobody accepted: its letters open nothing any more. */
export async function revokeInvitation({ ctx, input, deps }: Verb<{ id: string }>): Promise<void> {
  const actor = requireScope(ctx, 'users:write')
  await deps.database.inTransaction(async (sql) => {
    const [gone] = await sql.query<{ tenant: string }>(
      `delete from invitations where id = $1 and accepted_at is null and ($2::text is null or tenant = $2)
       returning tenant`,
      [input.id, isHouse(actor) ? null : actor.tenant],
    )
    if (!gone) throw new AssayError('not_found', 'There is no such invitation.')
    await recordAudit(sql, {
      action: 'invitation.revoked',
      actor: actor.userId,
      tenant: gone.tenant,
      detail: { invitation: input.id },
    })
  })
}
