import type { Scope } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Row, Sql } from '@assay/core/ports/db/port'
import type { Role } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import { endMisused } from '../sessions/end-misused.ts'
import { REFRESH_GRACE_MS } from '../sessions/session-times.ts'
import { addRefreshToken, hashRefreshToken, nextRefreshToken } from './refresh-token.ts'

/** A refresh token with its session, its user and, where a client holds it, what was granted. */
export interface RotatedRow extends Row {
  session_id: string
  expires_at: Date
  consumed_at: Date | null
  consumed_by: string | null
  session_ends: Date
  kind: 'password' | 'pin' | 'oauth'
  /** what the session was cut to when it was opened; null: nothing */
  session_scopes: Scope[] | null
  amr: string[]
  user_id: string
  role: Role
  tenant: string
  plan: string
  epoch: number
  mfa_required: boolean
  client_id: string | null
  /** what its user let the client do */
  scopes: Scope[] | null
  resource: string | null
}
export type Rotation = { next: string; row: RotatedRow } | { ended: string } | null

export interface Rotating {
  token: string
  /** who may ask again for a lost answer */
  client: string
  /** the OAuth client that brings it; null: nobody but its user */
  clientId: string | null
  deps: GatewayDeps
}

/** The next token for this one, in the caller's transaction. A token of a client is good for that client only, and at no other door. */
export async function rotate(sql: Sql, { token, client, clientId, deps }: Rotating): Promise<Rotation> {
  const hash = hashRefreshToken(token)
  const now = deps.clock.now()
  const [row] = await sql.query<RotatedRow>(
    `select r.session_id, r.expires_at, r.consumed_at, r.consumed_by, s.expires_at as session_ends, s.amr, s.kind, s.scopes as session_scopes,
            u.id as user_id, u.role, u.tenant, u.epoch, t.plan, t.mfa_required, g.client_id, g.scopes, g.resource
       from refresh_tokens r join sessions s on s.id = r.session_id join users u on u.id = s.user_id
       join tenants t on t.id = u.tenant left join oauth_grants g on g.session_id = s.id
      where r.hash = $1 and u.disabled_at is null for update of r, s`,
    [hash],
  )
  if (!row || row.client_id !== clientId || row.session_ends.getTime() <= now) return null
  const next = nextRefreshToken(token, deps.refreshSecret)
  if (row.consumed_at)
    return (await isRetry(sql, { row, next, client, now }))
      ? { next, row }
      : endMisused(sql, 'session.reuse_detected', row)
  if (row.expires_at.getTime() <= now) return null

  const expires = new Date(Math.min(now + deps.idleMs, row.session_ends.getTime()))
  await sql.query('update refresh_tokens set consumed_at = $2, consumed_by = $3 where hash = $1', [
    hash,
    new Date(now),
    client,
  ])
  await addRefreshToken(sql, { token: next, sessionId: row.session_id, expires })
  await sql.query('update sessions set seen_at = $2 where id = $1', [row.session_id, new Date(now)])
  await recordAudit(sql, {
    action: 'session.refreshed',
    actor: row.user_id,
    tenant: row.tenant,
    detail: { session: row.session_id, ...(row.client_id && { client: row.client_id }) },
  })
  return { next, row }
}

/** The client that consumed it asks again, soon, and nobody has used the next token yet. */
async function isRetry(
  sql: Sql,
  asked: { row: RotatedRow; next: string; client: string; now: number },
): Promise<boolean> {
  const { row, next, client, now } = asked
  if (row.consumed_by !== client || now - row.consumed_at!.getTime() > REFRESH_GRACE_MS) return false
  const unused = await sql.query('select 1 from refresh_tokens where hash = $1 and consumed_at is null', [
    hashRefreshToken(next),
  ])
  return unused.length > 0
}
