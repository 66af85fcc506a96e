import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { identityErased } from '@assay/core/contracts/topics/identity'
import { recordAudit } from '@assay/core/kernel/audit'
import { erasePersonal } from '@assay/core/kernel/personal-data'
import type { Verb } from '../deps.ts'
import { appendEvent } from '../events/append-event.ts'
import { confirmPassword } from '../passwords/confirm-password.ts'
import { deleteKey } from '../second-factor/factor-key.ts'
import { requireFreshFactor } from '../second-factor/require-fresh-factor.ts'
import { endAllSessions } from '../sessions/end-sessions.ts'
import { requirePromoter } from '../users/authority.ts'
import { requireHouseOperatorLeft } from '../users/house-operators.ts'
import type { EraseBody, Erased } from './schemas.ts'
import { subjectOf } from './subject.ts'
import { GATEWAY_TABLES } from './tables.ts'

/**
 * Erases a user: the key of the personal fields is destroyed, and with it what copies of the database hold of them;
 * logins, keys and devices go; money and verdicts stay under an id that names nobody. It cannot be undone.
 */
export async function eraseUser({ ctx, input, deps }: Verb<EraseBody>): Promise<Erased> {
  const { actor, user } = await subjectOf(deps.database, {
    ctx,
    userId: input.user_id,
    own: 'account:write',
    ofOthers: 'users:write',
  })
  const { id: userId, tenant } = user
  if (userId !== actor.userId) requirePromoter(actor, tenant, [user.role])
  await confirmPassword(deps, ctx, input.password)
  await requireFreshFactor(deps, actor)
  await deps.database.inTransaction(async (sql) => {
    // held before the user's row, as by who changes roles
    if (isHouse(user)) await requireHouseOperatorLeft(sql, { leaving: userId, actor })
    const [there] = await sql.query<{ key_name: string | null }>(
      `select (select key_name from second_factors f where f.user_id = u.id) as key_name
         from users u where id = $1 and tenant = $2 and role = $3 and erased_at is null for update of u`,
      [userId, tenant, user.role],
    )
    if (!there) throw new AssayError('not_found', 'There is no such user.', { field: 'user_id' })
    await endAllSessions(sql, userId)
    await erasePersonal(sql, GATEWAY_TABLES, userId)
    await deps.database.destroyKey(userId)
    await appendEvent(sql, identityErased, {
      aggregate: `erased:${userId}`,
      key: userId,
      data: { user_id: userId, tenant },
    })
    await recordAudit(sql, { action: 'privacy.erased', actor: actor.userId, tenant, detail: { user: userId } })
    if (there.key_name !== null) await deleteKey(deps, there.key_name)
  })
  deps.verifier.revokeUser(userId)
  const kept = GATEWAY_TABLES.filter(({ erase }) => erase === 'keep').map(({ table, why }) => ({ table, why }))
  return { success: true, user_id: userId, kept: [...kept, { table: 'trading', why: MONEY }] }
}

const MONEY = 'Purchases, journals, ledgers and verdicts: legal hold; see docs/privacy.md.'
