import type { GatewayDeps } from '../deps.ts'

const DAY = 86_400_000
const ADDRESS_KEPT_MS = 90 * DAY

/** Removes what has ended: sessions past their end, sessions nobody can refresh any more, addresses long not seen. */
export async function sweep({
  database,
  clock,
  idleMs,
}: Pick<GatewayDeps, 'database' | 'clock' | 'idleMs'>): Promise<void> {
  const now = clock.now()
  await database.query(
    `delete from sessions s where expires_at <= $1 or created_at <= $2 and not exists (
       select from refresh_tokens r where r.session_id = s.id and r.expires_at > $1)`,
    [new Date(now), new Date(now - idleMs)],
  )
  await database.query('delete from known_addresses where seen_at <= $1', [new Date(now - ADDRESS_KEPT_MS)])
}
