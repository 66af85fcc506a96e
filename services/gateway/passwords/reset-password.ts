import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps, Verb } from '../deps.ts'
import { findMailToken, provesAddress, useMailToken } from '../letters/mail-token.ts'
import { findUserRow, type UserRow } from '../users/rows.ts'
import { requireGoodPassword } from './require-good-password.ts'
import type { ResetBody } from './schemas.ts'
import { setPassword } from './set-password.ts'

/** A new password for who had the letter: once, soon, and all sessions end. It logs nobody in: a second factor stays asked for. */
export async function resetPassword({ input, deps }: Verb<ResetBody>): Promise<void> {
  const { token, password } = input
  const { database, clock } = deps
  const found = await findMailToken(database, { token, purpose: 'password_reset', now: clock.now() })
  const user = found?.user_id ? await findUserRow(database, found.user_id) : null
  if (!found || !user || user.disabled_at || !provesAddress(found, token, user.email)) throw notGood()
  requireGoodPassword(password, [user.email, user.name])
  const hash = await deps.hasher.hash(password)
  await database.inTransaction(async (sql) => {
    const [living] = await sql.query('select 1 from users where id = $1 and disabled_at is null for update', [user.id])
    if (!living || !(await useMailToken(sql, found))) throw notGood()
    // whoever has the letter has the mailbox
    await sql.query('update users set email_verified = true where id = $1', [user.id])
    if (!user.email_verified) await endEarlyKeys(sql, deps, user)
    await setPassword(sql, deps, { userId: user.id, hash })
    await recordAudit(sql, {
      action: 'password.reset',
      actor: user.id,
      tenant: user.tenant,
      detail: { user: user.id },
    })
  })
  deps.verifier.revokeUser(user.id)
}

/** Until now nobody had shown that the account is the mailbox's: its keys may be those of whoever made it. */
async function endEarlyKeys(sql: Sql, { clock }: GatewayDeps, { id: userId, tenant }: UserRow): Promise<void> {
  const ended = await sql.query<{ id: string }>(
    'update api_keys set revoked_at = $2 where user_id = $1 and revoked_at is null returning id',
    [userId, new Date(clock.now())],
  )
  for (const { id } of ended)
    await recordAudit(sql, { action: 'api_key.revoked', actor: userId, tenant, detail: { key: id } })
}

const notGood = () =>
  new AssayError('validation_failed', 'token: is not valid, or not any more; ask for another letter', {
    field: 'token',
  })
