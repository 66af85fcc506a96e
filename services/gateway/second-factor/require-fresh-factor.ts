import { AssayError } from '@assay/core/contracts/errors'
import type { Actor } from '@assay/core/kernel/context'
import type { GatewayDeps } from '../deps.ts'

/** How long a second factor that was shown lets its session do what wants it fresh. */
const FRESH_MS = 15 * 60_000

/**
 * For acts of operators that reach far. Who has a second factor must have shown it in this session a moment ago; an API
 * key can't, so the key of such a user does not do them. Who has none goes on: where one is wanted, the token is cut.
 */
export async function requireFreshFactor(
  { database, clock }: Pick<GatewayDeps, 'database' | 'clock'>,
  actor: Actor,
): Promise<void> {
  const [factor] = await database.query<{ confirmed_at: Date | null }>(
    `select s.confirmed_at from second_factors f left join sessions s on s.user_id = f.user_id and s.id = $2
      where f.user_id = $1 and f.enabled_at is not null`,
    [actor.userId, actor.sessionId ?? null],
  )
  if (!factor) return
  if (!actor.sessionId) throw new AssayError('step_up_required', 'An API key does not do this: log in.')
  if (factor.confirmed_at && clock.now() - factor.confirmed_at.getTime() <= FRESH_MS) return
  throw new AssayError('step_up_required', 'Send a code of the app to POST /api/auth/totp/verify first.')
}
