import type { Sql } from '@assay/core/ports/db/port'
import { announceRevoked } from '../events/announce-revoked.ts'

/**
 * Ends all sessions of a user and makes every service look at its API keys anew, in the transaction of the reason; the
 * caller tells its own verifier after the commit: `deps.verifier.revokeUser(userId)`.
 */
export async function endAllSessions(sql: Pick<Sql, 'query'>, userId: string): Promise<void> {
  await revokeIssued(sql, userId)
  await sql.query('delete from sessions where user_id = $1', [userId])
}

/**
 * Refuses every access token issued so far, and leaves the sessions: their next tokens say what is true now. For a change
 * of role, tenant or plan. The same word to the own verifier as above.
 */
export async function revokeIssued(sql: Pick<Sql, 'query'>, userId: string): Promise<void> {
  await sql.query('update users set epoch = epoch + 1 where id = $1', [userId])
  await announceRevoked(sql, { what: 'user', id: null, userId })
}

/** Ends the other sessions of a user than the one that asks; the ids are for `deps.verifier.revokeSession` after the commit. */
export async function endOtherSessions(
  sql: Pick<Sql, 'query'>,
  { userId, keep }: { userId: string; keep: string | undefined },
): Promise<string[]> {
  const ended = await sql.query<{ id: string }>(
    'delete from sessions where user_id = $1 and ($2::uuid is null or id <> $2) returning id',
    [userId, keep ?? null],
  )
  for (const { id } of ended) await announceRevoked(sql, { what: 'session', id, userId })
  return ended.map(({ id }) => id)
}
