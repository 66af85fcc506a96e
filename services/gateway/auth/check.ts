import { AssayError } from '@assay/core/contracts/errors'
import { requireActor } from '@assay/core/kernel/auth'
import type { Verb } from '../deps.ts'
import { findUser } from '../users/rows.ts'
import type { Checked } from './schemas.ts'

/** Who the credential belongs to and what it may do. */
export async function check({ ctx, deps }: Omit<Verb<never>, 'input'>): Promise<Checked> {
  const actor = requireActor(ctx)
  const user = await findUser(deps.database, actor.userId)
  if (!user) throw new AssayError('unauthorized', 'The user of this credential no longer exists.')
  return {
    authenticated: true,
    user,
    scopes: [...actor.scopes],
    credential: actor.keyId ? 'api_key' : 'session',
    expires_at: actor.expiresAt === undefined ? null : new Date(actor.expiresAt).toISOString(),
  }
}
