import { AssayError } from '@assay/core/contracts/errors'
import { requireScope } from '@assay/core/kernel/auth'
import type { Sql } from '@assay/core/ports/db/port'
import type { Verb } from '../deps.ts'
import { type Authority, governs } from './authority.ts'
import { findUserRow, type UserRow } from './rows.ts'
import type { UserAccount } from './schemas.ts'
import { toUserAccount } from './views.ts'

/** A user of the operator's tenant; for the house, any. */
export async function getUser({ ctx, input, deps }: Verb<{ id: string }>): Promise<UserAccount> {
  const actor = requireScope(ctx, 'users:read')
  return toUserAccount(await governedUser(deps.database.shownTo(actor), actor, input.id))
}

/** Another tenant's user is as absent as one that does not exist. */
export async function governedUser(sql: Pick<Sql, 'query'>, actor: Authority, id: string): Promise<UserRow> {
  const user = await findUserRow(sql, id)
  if (!user || !governs(actor, user.tenant)) throw new AssayError('not_found', 'There is no such user.')
  return user
}
