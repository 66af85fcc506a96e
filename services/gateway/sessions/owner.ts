import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { requireScope } from '@assay/core/kernel/auth'
import type { Actor, Ctx } from '@assay/core/kernel/context'
import type { AuthDatabase } from '../auth/database.ts'

/** Whose sessions or devices are looked at: one's own, or a user's of the operator's tenant. Others are not there. */
export async function ownerToRead(
  database: Pick<AuthDatabase, 'shownTo'>,
  ctx: Ctx,
  userId: string | undefined,
): Promise<{ actor: Actor; owner: string }> {
  const actor = requireScope(ctx, 'account:read')
  if (userId === undefined || userId === actor.userId) return { actor, owner: actor.userId }
  requireScope(ctx, 'users:read')
  const [user] = await database
    .shownTo(actor)
    .query('select 1 from users where id = $1 and ($2 or tenant = $3)', [userId, isHouse(actor), actor.tenant])
  if (!user) throw new AssayError('not_found', 'There is no such user.', { field: 'user_id' })
  return { actor, owner: userId }
}

/** Who may end a thing that has an owner: the owner, or an operator of the owner's tenant. For a `where` over `users u`. */
export function endableBy(ctx: Ctx): { actor: Actor; sql: string; params: [string, boolean, boolean, string] } {
  const actor = requireScope(ctx, 'account:write')
  const operates = actor.scopes.includes('users:write')
  return {
    actor,
    sql: '(u.id = $2 or $3 and ($4 or u.tenant = $5))',
    params: [actor.userId, operates, isHouse(actor), actor.tenant],
  }
}
