import { AssayError } from '@assay/core/contracts/errors'
import type { Scope } from '@assay/core/contracts/scopes'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'
import { announceRevoked } from '../events/announce-revoked.ts'
import { hashRefreshToken, newRefreshToken } from '../tokens/refresh-token.ts'
import { SESSION_MS } from './session-times.ts'

export interface NewSession {
  userId: string
  /** of the user when the password or PIN was looked at */
  epoch: number
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
 * storm of logins is as long as what each of them keeps the database busy for. Throws invalid_credentials where
 * everything of the user was ended since: who brought the old password has no session left over.
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
  const [opened] = await sql.query<{ ended: string[] }>(
    `with owner as (
       select id from users where id = $2::uuid and epoch = $15::int for share),
     made as (
       insert into sessions (id, user_id, token, expires_at, ip_address, user_agent, kind, scopes, amr, confirmed_at,
                             device_id, created_at, updated_at, seen_at)
       select $1::uuid, id, $14::text, $3::timestamptz, $4::text, $5::text, $6::text, $7::text[], $8::text[],
              $9::timestamptz, $10::uuid, $11::timestamptz, $11::timestamptz, $11::timestamptz from owner returning id),
     fresh as (
       insert into refresh_tokens (hash, session_id, expires_at) select $12::text, id, $13::timestamptz from made),
     over as (
       delete from sessions where id in (
         select id from sessions where user_id = $2::uuid order by created_at desc, id desc
           offset ${SESSIONS_PER_USER - 1}) returning id)
     select array(select id::text from over) as ended from made`,
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
      session.epoch,
    ],
  )
  if (!opened) throw new AssayError('invalid_credentials', 'The account was changed just now. Log in again.')
  for (const one of opened.ended) await announceRevoked(sql, { what: 'session', id: one, userId: session.userId })
  return { id, ends, refreshToken, ended: opened.ended }
}
