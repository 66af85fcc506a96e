import type { GatewayDeps } from '../deps.ts'
import { deleteKey } from '../second-factor/factor-key.ts'

export interface Retention {
  table: string
  /** rows go so long after `since` */
  days: number
  since: string
}
/**
 * What goes by itself here, beside what other parts let go of at once (docs/privacy.md has the whole schedule): sessions,
 * OAuth, usage, idempotency keys, topics.
 */
export const RETENTION: readonly Retention[] = [
  { table: 'gateway.api_keys', days: 400, since: 'coalesce(revoked_at, expires_at)' },
  { table: 'gateway.devices', days: 400, since: 'seen_at' },
  { table: 'gateway.invitations', days: 90, since: 'coalesce(accepted_at, expires_at)' },
  { table: 'gateway.pin_attempts', days: 30, since: 'at' },
  { table: 'gateway.letters', days: 7, since: 'expires_at' },
  { table: 'gateway.mail_tokens', days: 1, since: 'expires_at' },
  // last: it waits for the secrets server
  { table: 'gateway.second_factors', days: 7, since: 'case when enabled_at is null then created_at end' },
]
const DAY_MS = 86_400_000

/** Deletes what is older than it is kept, and the keys that such rows name. Rows of one table, in one statement: they are few between two turns. */
export async function applyRetention(deps: Pick<GatewayDeps, 'database' | 'clock' | 'totp'>): Promise<void> {
  for (const { table, days, since } of RETENTION)
    await deps.database.inTransaction(async (sql) => {
      const over = new Date(deps.clock.now() - days * DAY_MS)
      const gone = await sql.query<{ key_name?: string }>(`delete from ${table} where ${since} <= $1 returning *`, [
        over,
      ])
      for (const { key_name } of gone) if (key_name) await deleteKey(deps, key_name)
    })
}
