import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'
import { queueLetter } from '../letters/queue-letter.ts'
import { endAllSessions } from '../sessions/end-sessions.ts'

export interface NewHash {
  userId: string
  hash: string
}

/**
 * A user's new password, in the transaction of the reason: sessions end, letters that could set another are void, and
 * so is a change of e-mail that waits for its letter; its owner is written to. The caller tells its own verifier after the commit: `deps.verifier.revokeUser(userId)`.
 */
export async function setPassword(sql: Sql, deps: Pick<GatewayDeps, 'clock'>, { userId, hash }: NewHash) {
  const now = new Date(deps.clock.now())
  await sql.query(
    `insert into accounts (id, user_id, provider_id, account_id, password, created_at, updated_at)
     values ($1, $2, 'credential', $3, $4, $5, $5)
     on conflict (provider_id, account_id) do update set password = excluded.password, drawn_at = null, updated_at = excluded.updated_at`,
    [Bun.randomUUIDv7(), userId, userId, hash, now],
  )
  await sql.query(`delete from mail_tokens where user_id = $1 and purpose = 'password_reset'`, [userId])
  await sql.query('update users set pending_email = null where id = $1', [userId])
  await endAllSessions(sql, userId)
  await queueLetter(sql, deps.clock, { kind: 'password_changed', userId })
}
