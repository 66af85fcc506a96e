import type { SessionState } from '@assay/core/kernel/verify-token'
import type { GatewayDeps } from '../deps.ts'

/** A session that is neither ended nor past its absolute end, of a user who is not disabled, and the user's epoch; null for any other. */
export async function sessionState(
  { database, clock }: Pick<GatewayDeps, 'database' | 'clock'>,
  id: string,
): Promise<SessionState | null> {
  const [row] = await database.query<{ epoch: number }>(
    'select u.epoch from sessions s join users u on u.id = s.user_id where s.id = $1 and s.expires_at > $2 and u.disabled_at is null',
    [id, new Date(clock.now())],
  )
  return row ? { epoch: row.epoch } : null
}
