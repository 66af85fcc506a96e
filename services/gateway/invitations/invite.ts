import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { LETTER_MS, queueLetter } from '../letters/queue-letter.ts'
import { requireFreshFactor } from '../second-factor/require-fresh-factor.ts'
import { isPrivileged, requirePromoter } from '../users/authority.ts'
import { normalizeEmail } from '../users/email.ts'
import { type InvitationRow, sealEmail, toInvitation } from './rows.ts'
import { type Invitation, type InvitationBody, OPEN_INVITATIONS } from './schemas.ts'

/**
 * Invites somebody into the operator's tenant; for the house, into any. Takes the place of an open invitation of the same
 * e-mail. Whether the e-mail has an account already is not said: its owner gets a letter, the operator does not.
 */
export async function invite({ ctx, input, deps }: Verb<InvitationBody>): Promise<Invitation> {
  const actor = requireScope(ctx, 'users:write')
  const { role, tenant = actor.tenant } = input
  if (tenant !== actor.tenant && !isHouse(actor))
    throw new AssayError('forbidden', 'Only the house invites into other tenants.', { field: 'tenant' })
  requirePromoter(actor, tenant, [role])
  if (isPrivileged(role)) await requireFreshFactor(deps, actor)
  const email = normalizeEmail(input.email)
  if (!(await deps.guard.letter({ email, address: ctx.address })))
    throw new AssayError('rate_limited', 'This address had its letters of this hour.', { retryAfterS: 3_600 })

  const { database, clock } = deps
  const id = Bun.randomUUIDv7()
  const now = clock.now()
  const sealed = await sealEmail(deps, id, email)
  const row = await database.inTransaction(async (sql) => {
    const [there] = await sql.query('select 1 from tenants where id = $1 for update', [tenant])
    if (!there) throw new AssayError('validation_failed', 'tenant: there is no such tenant', { field: 'tenant' })
    await sql.query('delete from invitations where tenant = $1 and email_index = $2 and accepted_at is null', [
      tenant,
      database.emailIndex(email),
    ])
    const [open] = await sql.query<{ n: number }>(
      'select count(*)::int as n from invitations where tenant = $1 and accepted_at is null and expires_at > $2',
      [tenant, new Date(now)],
    )
    if (open!.n >= OPEN_INVITATIONS)
      throw new AssayError('conflict', `A tenant has at most ${OPEN_INVITATIONS} open invitations.`)
    const [made] = await sql.query<InvitationRow>(
      `insert into invitations (id, tenant, email_index, sealed_email, role, invited_by, created_at, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)
       returning id, tenant, sealed_email, role, invited_by, created_at, expires_at, accepted_at`,
      [
        id,
        tenant,
        database.emailIndex(email),
        sealed,
        role,
        actor.userId,
        new Date(now),
        new Date(now + LETTER_MS.invitation),
      ],
    )
    await queueLetter(sql, clock, { kind: 'invitation', invitationId: id })
    await recordAudit(sql, {
      action: 'invitation.made',
      actor: actor.userId,
      tenant,
      detail: { invitation: id, role },
    })
    return made!
  })
  return toInvitation(deps, row, now)
}
