import { AssayError } from '@assay/core/contracts/errors'
import { HOUSE_TENANT } from '@assay/core/contracts/scopes'
import { identityErased } from '@assay/core/contracts/topics/identity'
import { recordAudit } from '@assay/core/kernel/audit'
import { erasePersonal } from '@assay/core/kernel/personal-data'
import type { Sql } from '@assay/core/ports/db/port'
import { confirmPassword } from '../auth/confirm-password.ts'
import { endAllSessions } from '../auth/end-sessions.ts'
import type { GatewayDeps, Verb } from '../deps.ts'
import { appendEvent } from '../events/append-event.ts'
import { requireFreshFactor } from '../second-factor/require-fresh-factor.ts'
import type { EraseBody, Erased } from './schemas.ts'
import { subjectOf } from './subject.ts'
import { GATEWAY_TABLES } from './tables.ts'

/**
 * Erases a user: the key of the personal fields is destroyed, and with it what copies of the database hold of them;
 * logins, keys and devices go; money and verdicts stay under an id that names nobody. It cannot be undone.
 */
export async function eraseUser({ ctx, input, deps }: Verb<EraseBody>): Promise<Erased> {
  const { actor, userId, tenant } = await subjectOf(deps.database, {
    ctx,
    userId: input.user_id,
    own: 'account:write',
    ofOthers: 'users:write',
  })
  await confirmPassword(deps, ctx, input.password)
  await requireFreshFactor(deps, actor)
  const factor = await deps.database.inTransaction(async (sql) => {
    await requireAnother(sql, userId)
    const [there] = await sql.query<{ key_name: string | null }>(
      `select (select key_name from second_factors f where f.user_id = u.id) as key_name
         from users u where id = $1 and erased_at is null for update of u`,
      [userId],
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
    return there.key_name
  })
  deps.verifier.revokeUser(userId)
  await forgetFactor(deps, factor)
  const kept = GATEWAY_TABLES.filter(({ erase }) => erase === 'keep').map(({ table, why }) => ({ table, why }))
  return { success: true, user_id: userId, kept: [...kept, { table: 'trading', why: MONEY }] }
}

const MONEY = 'Purchases, journals, ledgers and verdicts: legal hold; see docs/privacy.md.'

/** The platform must not lose its last operator. The rows of all are held, so that two do not leave at once. */
async function requireAnother(sql: Pick<Sql, 'query'>, userId: string): Promise<void> {
  const operators = await sql.query<{ id: string }>(
    `select id from users where tenant = $1 and role in ('operator', 'admin') and disabled_at is null order by id for update`,
    [HOUSE_TENANT],
  )
  if (operators.length === 1 && operators[0]!.id === userId)
    throw new AssayError('conflict', 'The last operator of the platform stays: make another one first.')
}

/** Its key is overwritten by one that nobody sees; the name of it is in no row any more. */
async function forgetFactor({ totp }: Pick<GatewayDeps, 'totp'>, keyName: string | null): Promise<void> {
  if (keyName !== null) await totp.createTotp(keyName, { issuer: 'Assay', account: 'erased' })
}
