import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import { DbError, type Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps, Verb } from '../deps.ts'
import { findMailToken, provesAddress, type TokenRow, useMailToken } from '../letters/mail-token.ts'
import { queueLetter } from '../letters/queue-letter.ts'
import { ownRow } from './get-me.ts'
import { findUserRow } from './rows.ts'
import type { EmailBody } from './schemas.ts'

/** With the token of a letter: its address is proved, and becomes the user's. Without: another letter to who asks. */
export async function confirmEmail({ ctx, input, deps }: Verb<EmailBody>): Promise<void> {
  if (input.token === undefined) return sendAnother({ ctx, deps })
  const { token } = input
  const { database, clock } = deps
  const found = await findMailToken(database, { token, purpose: 'email_verify', now: clock.now() })
  if (!found?.user_id) throw notGood()
  const { user_id: userId } = found
  await database
    .inTransaction((sql) => confirm(sql, deps, { userId, found, token }))
    .catch((error) => {
      if (!(error instanceof DbError && error.code === '23505')) throw error
      throw new AssayError('conflict', 'This e-mail belongs to another account by now.')
    })
}

async function confirm(
  sql: Sql,
  { database }: GatewayDeps,
  { userId, found, token }: { userId: string; found: TokenRow; token: string },
): Promise<void> {
  await sql.query('select 1 from users where id = $1 for update', [userId])
  const user = await findUserRow(sql, userId)
  if (!user || user.disabled_at) throw notGood()
  const email = user.pending_email ?? user.email
  if (!provesAddress(found, token, email) || !(await useMailToken(sql, found))) throw notGood()
  const detail = { user: userId }
  if (user.pending_email) {
    await sql.query(
      'update users set email = $2, email_index = $3, pending_email = null, email_verified = true where id = $1',
      [userId, await database.seal(userId, 'email', email), database.emailIndex(email)],
    )
    await recordAudit(sql, { action: 'email.changed', actor: userId, tenant: user.tenant, detail })
  } else {
    await sql.query('update users set email_verified = true where id = $1', [userId])
    await recordAudit(sql, { action: 'email.verified', actor: userId, tenant: user.tenant, detail })
  }
}

async function sendAnother({ ctx, deps }: Omit<Verb<never>, 'input'>): Promise<void> {
  const actor = requireScope(ctx, 'account:write')
  const user = await ownRow(deps, actor.userId)
  const email = user.pending_email ?? user.email
  if (!user.pending_email && user.email_verified) throw new AssayError('conflict', 'Your e-mail is confirmed already.')
  if (!(await deps.guard.letter({ email, address: ctx.address }))) return
  await deps.database.inTransaction((sql) => queueLetter(sql, deps.clock, { kind: 'email_verify', userId: user.id }))
}

const notGood = () =>
  new AssayError('validation_failed', 'token: is not valid, or not any more; ask for another letter', {
    field: 'token',
  })
