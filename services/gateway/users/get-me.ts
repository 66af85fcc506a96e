import { AssayError } from '@assay/core/contracts/errors'
import { requireScope } from '@assay/core/kernel/auth'
import type { GatewayDeps, Verb } from '../deps.ts'
import { findUserRow, type UserRow } from './rows.ts'
import type { Profile } from './schemas.ts'
import { toProfile } from './views.ts'

/** The user of the credential. */
export async function getMe({ ctx, deps }: Omit<Verb<never>, 'input'>): Promise<Profile> {
  const actor = requireScope(ctx, 'account:read')
  return toProfile(await ownRow(deps, actor.userId))
}

export async function ownRow({ database }: Pick<GatewayDeps, 'database'>, id: string): Promise<UserRow> {
  const row = await findUserRow(database, id)
  if (!row) throw new AssayError('unauthorized', 'The user of this credential no longer exists.')
  return row
}
