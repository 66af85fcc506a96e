import type { Scope } from '@assay/core/contracts/scopes'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'
import { announceRevoked } from '../events/announce-revoked.ts'
import { addRefreshToken, newRefreshToken } from './refresh-token.ts'
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

/** A new session with its first refresh token, in the caller's transaction; better-auth makes the row. */
export async function openSession(sql: Sql, deps: GatewayDeps, session: NewSession): Promise<OpenedSession> {
  const now = new Date(deps.clock.now())
  const ends = new Date(now.getTime() + SESSION_MS)
  const { internalAdapter } = await deps.auth.$context
  const { id } = await internalAdapter.createSession(session.userId)
  await sql.query(
    `update sessions set expires_at = $2, ip_address = $3, user_agent = $4, kind = $5, scopes = $6, amr = $7,
            confirmed_at = $8, device_id = $9, created_at = $10, seen_at = $10 where id = $1`,
    [
      id,
      ends,
      session.address,
      session.userAgent.slice(0, 500),
      session.kind,
      session.scopes ? [...session.scopes] : null,
      [...session.amr],
      session.confirmed ? now : null,
      session.deviceId ?? null,
      now,
    ],
  )
  const refreshToken = newRefreshToken()
  await addRefreshToken(sql, {
    token: refreshToken,
    sessionId: id,
    expires: new Date(now.getTime() + deps.idleMs),
  })
  return { id, ends, refreshToken, ended: await makeRoom(sql, session.userId) }
}

async function makeRoom(sql: Sql, userId: string): Promise<string[]> {
  const ended = await sql.query<{ id: string }>(
    `delete from sessions where id in (
       select id from sessions where user_id = $1 order by created_at desc, id desc offset ${SESSIONS_PER_USER})
     returning id`,
    [userId],
  )
  for (const { id } of ended) await announceRevoked(sql, { what: 'session', id, userId })
  return ended.map(({ id }) => id)
}
