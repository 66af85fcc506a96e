import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Sql } from '@assay/core/ports/db/port'
import type { User } from '../auth/schemas.ts'
import type { GatewayDeps, Verb } from '../deps.ts'
import { findMailToken, provesAddress, useMailToken } from '../letters/mail-token.ts'
import { requireGoodPassword } from '../passwords/require-good-password.ts'
import { governs, isPrivileged, mayPromote } from '../users/authority.ts'
import { createUser } from '../users/create-user.ts'
import { findUserRow } from '../users/rows.ts'
import { findInvitation, type InvitationRow, openEmail } from './rows.ts'
import type { AcceptBody } from './schemas.ts'

/**
 * Whoever has the letter becomes a user of its tenant and role, with a confirmed e-mail. An invitation is worth what its
 * inviter may give at this moment.
 */
export async function acceptInvitation({ ctx, input, deps }: Verb<AcceptBody & { id: string }>): Promise<User> {
  await deps.guard.registration(ctx.address)
  const { id, token, password, name } = input
  const { database, clock } = deps
  const found = await findMailToken(database, { token, purpose: 'invitation', now: clock.now() })
  const invitation = found?.invitation_id === id ? await findInvitation(database, id) : null
  if (!found || !invitation || !(await isGood(database, deps, invitation))) throw notGood()
  const email = await openEmail(deps, invitation)
  if (!provesAddress(found, token, email)) throw notGood()
  requireGoodPassword(password, [email, name ?? ''])
  const hash = await deps.hasher.hash(password)
  const { role, tenant } = invitation
  return database.inTransaction(async (sql) => {
    await sql.query('select 1 from invitations where id = $1 for update', [id])
    const still = await findInvitation(sql, id)
    if (!still || !(await isGood(sql, deps, still)) || !(await useMailToken(sql, found))) throw notGood()
    const user = await createUser({
      input: { email, password: hash, hashed: true, name, role, tenant, emailConfirmed: true },
      deps,
    })
    await sql.query('update invitations set accepted_at = $2, user_id = $3 where id = $1', [
      id,
      new Date(clock.now()),
      user.id,
    ])
    await recordAudit(sql, { action: 'invitation.accepted', actor: user.id, tenant, detail: { invitation: id, role } })
    return user
  })
}

async function isGood(
  sql: Pick<Sql, 'query'>,
  { clock }: Pick<GatewayDeps, 'clock'>,
  { accepted_at, expires_at, invited_by, tenant, role }: InvitationRow,
): Promise<boolean> {
  if (accepted_at || expires_at.getTime() <= clock.now()) return false
  const inviter = invited_by && (await findUserRow(sql, invited_by))
  if (!inviter || inviter.disabled_at || !isPrivileged(inviter.role) || !governs(inviter, tenant)) return false
  return !isPrivileged(role) || mayPromote(inviter, tenant)
}

const notGood = () =>
  new AssayError('not_found', 'There is no such invitation, or its token is not valid, or not any more.')
