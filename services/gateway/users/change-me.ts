import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps, Verb } from '../deps.ts'
import { queueLetter } from '../letters/queue-letter.ts'
import { confirmPassword } from '../passwords/confirm-password.ts'
import { requireGoodPassword } from '../passwords/require-good-password.ts'
import { setPassword } from '../passwords/set-password.ts'
import { requireFreshFactor } from '../second-factor/require-fresh-factor.ts'
import { normalizeEmail } from './email.ts'
import { ownRow } from './get-me.ts'
import type { UserRow } from './rows.ts'
import type { Profile, ProfileChange } from './schemas.ts'
import { toProfile } from './views.ts'

/**
 * Name at once; password with the current one, which ends all sessions; an e-mail with the current password, once the
 * letter to it is confirmed. Who has a second factor must have shown it a moment ago for either.
 */
export async function changeMe({ ctx, input, deps }: Verb<ProfileChange>): Promise<Profile> {
  const actor = requireScope(ctx, 'account:write')
  const before = await ownRow(deps, actor.userId)
  const email = input.email === undefined ? undefined : normalizeEmail(input.email)
  let epoch: number | null = null
  if (email !== undefined || input.password !== undefined) {
    if (input.current_password === undefined)
      throw refused('current_password', 'is needed to change e-mail or password')
    epoch = (await confirmPassword(deps, ctx, input.current_password, 'current_password')).epoch
    await requireFreshFactor(deps, actor)
  }
  if (input.password !== undefined) {
    if (input.password === input.current_password) throw refused('password', 'is the one you have')
    requireGoodPassword(input.password, [before.email, before.name])
  }
  const hash = input.password === undefined ? undefined : await deps.hasher.hash(input.password)
  const mayWrite = email === undefined || (await deps.guard.letter({ email, address: ctx.address }))
  await deps.database.inTransaction(async (sql) => {
    const [still] = await sql.query(
      'select 1 from users where id = $1 and epoch = coalesce($2::int, epoch) for update',
      [before.id, epoch],
    )
    // a password that was confirmed is not the password any more: a reset has the last word
    if (!still) throw new AssayError('unauthorized', 'Your sessions were ended just now. Log in again.')
    if (input.name !== undefined) await setName(sql, deps, before, input.name)
    if (hash !== undefined) {
      await setPassword(sql, deps, { userId: before.id, hash })
      const { id: actorId, tenant } = before
      await recordAudit(sql, { action: 'password.changed', actor: actorId, tenant, detail: { user: actorId } })
    }
    if (email !== undefined) await askForEmail(sql, deps, before, { email, mayWrite })
  })
  if (hash !== undefined) deps.verifier.revokeUser(before.id)
  return toProfile(await ownRow(deps, before.id))
}

async function setName(sql: Sql, { database, clock }: GatewayDeps, { id, tenant }: UserRow, name: string) {
  await sql.query('update users set name = $2, updated_at = $3 where id = $1', [
    id,
    await database.seal(id, 'name', name),
    new Date(clock.now()),
  ])
  await recordAudit(sql, { action: 'user.renamed', actor: id, tenant, detail: { user: id } })
}

/** The answer says nothing of whose address it is; the letter to it does. */
async function askForEmail(
  sql: Sql,
  { database, clock }: GatewayDeps,
  { id, email: current, tenant }: UserRow,
  { email, mayWrite }: { email: string; mayWrite: boolean },
): Promise<void> {
  const isNew = email !== current
  await sql.query('update users set pending_email = $2, updated_at = $3 where id = $1', [
    id,
    isNew ? await database.seal(id, 'pending_email', email) : null,
    new Date(clock.now()),
  ])
  if (!isNew) return
  if (mayWrite) await queueLetter(sql, clock, { kind: 'email_verify', userId: id })
  await queueLetter(sql, clock, { kind: 'email_change_asked', userId: id })
  await recordAudit(sql, { action: 'email.change_asked', actor: id, tenant, detail: { user: id } })
}

const refused = (field: string, detail: string) => new AssayError('validation_failed', `${field}: ${detail}`, { field })
