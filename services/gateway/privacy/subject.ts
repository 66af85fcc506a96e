import { AssayError } from '@assay/core/contracts/errors'
import { isHouse, type Scope } from '@assay/core/contracts/scopes'
import { requireScope } from '@assay/core/kernel/auth'
import type { Actor, Ctx } from '@assay/core/kernel/context'
import type { AuthDatabase } from '../auth/database.ts'
import type { Role } from '../auth/schemas.ts'

export interface Subject {
  actor: Actor
  user: { id: string; tenant: string; role: Role }
}

/**
 * Whose data is meant: the caller's own, by `own`; or, by `ofOthers`, that of a user of the operator's tenant. Only who
 * is logged in asks: not an API key, not a program that acts for a user. Who was erased is not there.
 */
export async function subjectOf(
  database: Pick<AuthDatabase, 'query'>,
  { ctx, userId, own, ofOthers }: { ctx: Ctx; userId: string | undefined; own: Scope; ofOthers: Scope },
): Promise<Subject> {
  const actor = requireScope(ctx, own)
  if (!actor.sessionId || actor.clientId) throw new AssayError('forbidden', 'Only the user does this, logged in.')
  const asked = userId ?? actor.userId
  if (asked !== actor.userId) requireScope(ctx, ofOthers)
  const [user] = await database.query<Subject['user']>(
    'select id, tenant, role from users where id = $1 and erased_at is null and (id = $2 or $3 or tenant = $4)',
    [asked, actor.userId, isHouse(actor), actor.tenant],
  )
  if (!user) throw new AssayError('not_found', 'There is no such user.', { field: 'user_id' })
  return { actor, user }
}
