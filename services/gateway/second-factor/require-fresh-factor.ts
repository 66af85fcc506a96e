import { AssayError } from '@assay/core/contracts/errors'
import type { Actor } from '@assay/core/kernel/context'
import type { GatewayDeps } from '../deps.ts'
import { mayNeedFactor } from '../sessions/session-scopes.ts'

/** How long a second factor that was shown lets its session do what wants it fresh. */
const FRESH_MS = 15 * 60_000

/**
 * For acts of operators that reach far. Who has a second factor must have shown it in this session a moment ago; an API
 * key can't, so the key of such a user, or of one who ought to have one, does not do them. Who has none goes on: where
 * one is wanted, the token is cut.
 */
export async function requireFreshFactor(
  { database, clock, requireFactor }: Pick<GatewayDeps, 'database' | 'clock' | 'requireFactor'>,
  actor: Actor,
): Promise<void> {
  const [owner] = await database.query<{ has: boolean; wanted: boolean; confirmed_at: Date | null }>(
    `select f.enabled_at is not null as has, t.mfa_required as wanted, s.confirmed_at
       from users u join tenants t on t.id = u.tenant left join second_factors f on f.user_id = u.id
       left join sessions s on s.user_id = u.id and s.id = $2
      where u.id = $1`,
    [actor.userId, actor.sessionId ?? null],
  )
  const { has, wanted, confirmed_at } = owner ?? { has: false, wanted: false, confirmed_at: null }
  if (!actor.sessionId && (has || ((wanted || requireFactor) && mayNeedFactor(actor.role))))
    throw new AssayError('step_up_required', 'An API key does not do this: log in.')
  if (!has || (confirmed_at && clock.now() - confirmed_at.getTime() <= FRESH_MS)) return
  throw new AssayError('step_up_required', 'Send a code of the app to POST /api/auth/totp/verify first.')
}
