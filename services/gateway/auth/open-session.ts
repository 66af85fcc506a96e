import type { Scope } from '@assay/core/contracts/scopes'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'
import { announceRevoked } from '../events/announce-revoked.ts'
import { hashRefreshToken, newRefreshToken } from './refresh-token.ts'
import { SESSION_MS } from './session-times.ts'

export interface NewSession {
  userId: string
  kind: 'password' | 'pin' | 'oauth'
  /** null: all that the role holds */
  scopes?: readonly Scope[] | null
  /** RFC 8176: pwd, otp, pin; recovery and device are ours */
  amr: readonly string[]
  /** the second factor was shown now */
  confirmed?: boolean
  deviceId?: string | null
  address: string
  userAgent: string
}
export interface OpenedSession {
  id: string
  ends: Date
  refreshToken: string
  /** sessions that made room, for `deps.verifier.revokeSession` after the commit */
  ended: string[]
}
/** Living sessions of one user; a further one ends the oldest. */
export const SESSIONS_PER_USER = 100

/**
 * A new session with its first refresh token, in the caller's transaction. One statement, and not better-auth's: a
 * storm of logins is as long as what each of them keeps the database busy for.
 */
export async function openSession(
  sql: Pick<Sql, 'query'>,
  deps: Pick<GatewayDeps, 'clock' | 'idleMs'>,
  session: NewSession,
): Promise<OpenedSession> {
  const now = new Date(deps.clock.now())
  const ends = new Date(now.getTime() + SESSION_MS)
  const id = Bun.randomUUIDv7()
  const refreshToken = newRefreshToken()
  const over = await sql.query<{ id: string }>(
    `with made as (
       insert into sessions (id, user_id, token, expires_at, ip_address, user_agent, kind, scopes, amr, confirmed_at,
                             device_id, created_at, updated_at, seen_at)
       values ($1, $2, $14, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11) returning id),
     fresh as (insert into refresh_tokens (hash, session_id, expires_at) select $12, id, $13 from made)
     delete from sessions where id in (
       select id from sessions where user_id = $2 order by created_at desc, id desc offset ${SESSIONS_PER_USER - 1})
     returning id`,
    [
      id,
      session.userId,
      ends,
      session.address,
      session.userAgent.slice(0, 500),
      session.kind,
      session.scopes ? [...session.scopes] : null,
      [...session.amr],
      session.confirmed ? now : null,
      session.deviceId ?? null,
      now,
      hashRefreshToken(refreshToken),
      new Date(now.getTime() + deps.idleMs),
      // better-auth's own name of a session, which nothing here asks for
      id,
    ],
  )
  for (const one of over) await announceRevoked(sql, { what: 'session', id: one.id, userId: session.userId })
  return { id, ends, refreshToken, ended: over.map((one) => one.id) }
}
