import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { requireScope } from '@assay/core/kernel/auth'
import type { Actor } from '@assay/core/kernel/context'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps, Verb } from '../deps.ts'
import { requireFreshFactor } from '../second-factor/require-fresh-factor.ts'
import { endAllSessions, revokeIssued } from '../sessions/end-sessions.ts'
import { requirePromoter } from './authority.ts'
import { governedUser } from './get-user.ts'
import { requireHouseOperatorLeft } from './house-operators.ts'
import { findUserRow, type UserRow } from './rows.ts'
import type { UserAccount, UserChange } from './schemas.ts'
import { unlockUser } from './unlock-user.ts'
import { toUserAccount } from './views.ts'

/**
 * Role, tenant, disabled, unlock. Nobody changes the own account here, so that nobody locks himself out; the house keeps
 * one operator. What the user holds is void at once: tokens after a new role or tenant, sessions and keys too when
 * disabled.
 */
export async function changeUser({ ctx, input, deps }: Verb<UserChange & { id: string }>): Promise<UserAccount> {
  const actor = requireScope(ctx, 'users:write')
  const seen = await governedUser(deps.database.shownTo(actor), actor, input.id)
  requireAllowed(actor, seen, input)
  await requireFreshFactor(deps, actor)
  const { changed, user } = await deps.database.inTransaction(async (sql) => {
    if (leavesHouse(seen, input)) await requireHouseOperatorLeft(sql, { leaving: seen.id, actor })
    await sql.query('select 1 from users where id = $1 for update', [seen.id])
    const before = await governedUser(sql, actor, input.id)
    // it may have become another one's to change
    requireAllowed(actor, before, input)
    if (!leavesHouse(seen, input) && leavesHouse(before, input))
      throw new AssayError('conflict', 'The user was changed by another operator just now.')
    await requireTenant(sql, input.tenant)
    const changed = await apply(sql, deps, { actor, before, input })
    return { changed, user: (await findUserRow(sql, input.id)) as UserRow }
  })
  if (changed) deps.verifier.revokeUser(user.id)
  if (input.unlock) await unlockUser(deps, user)
  return toUserAccount(user)
}

function requireAllowed(actor: Actor, user: UserRow, change: UserChange): void {
  // what is left is a name for what the law keeps
  if (user.erased_at) throw new AssayError('not_found', 'There is no such user.')
  const { role, tenant } = change
  const field = (['role', 'tenant', 'disabled'] as const).find((name) => change[name] !== undefined)
  if (user.id === actor.userId && field)
    throw new AssayError('forbidden', 'Your own role, tenant and access are changed by another operator.', { field })
  if (tenant !== undefined && !isHouse(actor))
    throw new AssayError('forbidden', 'Only the house moves users between tenants.', { field: 'tenant' })
  if (field) requirePromoter(actor, user.tenant, role === undefined ? [user.role] : [user.role, role])
  if (user.role === 'service') throw new AssayError('forbidden', 'Users of services are not changed here.')
}

/** Whether an operator of the house is none after it. */
function leavesHouse(user: UserRow, { role, tenant, disabled }: UserChange): boolean {
  const after = { role: role ?? user.role, tenant: tenant ?? user.tenant }
  return isHouse(user) && !user.disabled_at && (disabled === true || !isHouse(after))
}

async function requireTenant(sql: Sql, tenant: string | undefined): Promise<void> {
  if (tenant === undefined) return
  const [there] = await sql.query('select 1 from tenants where id = $1', [tenant])
  if (!there) throw new AssayError('validation_failed', 'tenant: there is no such tenant', { field: 'tenant' })
}

interface Change {
  actor: Actor
  before: UserRow
  input: UserChange
}

/** Whether anything was other than before. */
async function apply(sql: Sql, { clock }: GatewayDeps, { actor, before, input }: Change): Promise<boolean> {
  const { role = before.role, tenant = before.tenant, disabled = before.disabled_at !== null } = input
  const now = new Date(clock.now())
  const disables = disabled && !before.disabled_at
  const enables = !disabled && before.disabled_at !== null
  const renamed = role !== before.role || tenant !== before.tenant
  const tell = (action: Parameters<typeof recordAudit>[1]['action'], detail: Record<string, string> = {}) =>
    recordAudit(sql, { action, actor: actor.userId, tenant: before.tenant, detail: { user: before.id, ...detail } })
  if (renamed || disables || enables) {
    await sql.query('update users set role = $2, tenant = $3, disabled_at = $4, updated_at = $5 where id = $1', [
      before.id,
      role,
      tenant,
      disabled ? (before.disabled_at ?? now) : null,
      now,
    ])
  }
  if (role !== before.role) await tell('user.role_changed', { from: before.role, to: role })
  if (tenant !== before.tenant) await tell('user.moved', { from: before.tenant, to: tenant })
  if (disables) {
    await endAllSessions(sql, before.id)
    await tell('user.disabled')
  } else if (renamed) await revokeIssued(sql, before.id)
  if (enables) await tell('user.enabled')
  if (input.unlock) await tell('user.unlocked')
  return renamed || disables || enables
}
