import { AssayError } from '@assay/core/contracts/errors'
import type { Actor } from '@assay/core/kernel/context'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'

/** How long who logged in, or showed a second factor, counts as having done so now. */
const RECENT_MS = 15 * 60_000

/** For acts that a found or stolen access token must not do: the session's user has authenticated a moment ago. A key has no session, and says its secret each time. */
export async function requireRecentLogin(
  sql: Pick<Sql, 'query'>,
  { clock }: Pick<GatewayDeps, 'clock'>,
  actor: Actor,
): Promise<void> {
  if (!actor.sessionId) return
  const [session] = await sql.query<{ created_at: Date; confirmed_at: Date | null }>(
    'select created_at, confirmed_at from sessions where id = $1',
    [actor.sessionId],
  )
  const last = Math.max(session?.created_at.getTime() ?? 0, session?.confirmed_at?.getTime() ?? 0)
  if (clock.now() - last <= RECENT_MS) return
  throw new AssayError(
    'step_up_required',
    'Log in anew, or send a code of the app to POST /api/auth/totp/verify first.',
  )
}
