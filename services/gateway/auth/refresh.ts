import { AssayError } from '@assay/core/contracts/errors'
import type { Scope } from '@assay/core/contracts/scopes'
import type { Row, Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps, Verb } from '../deps.ts'
import { announceRevoked } from '../events/announce-revoked.ts'
import { recordAudit } from '../events/record-audit.ts'
import { issueTokens } from './issue-tokens.ts'
import { addRefreshToken, hashRefreshToken, nextRefreshToken, refreshClient } from './refresh-token.ts'
import type { RefreshBody, Role, Tokens } from './schemas.ts'
import { REFRESH_GRACE_MS } from './session-times.ts'

export interface RefreshInput extends RefreshBody {
  userAgent: string
}

interface TokenRow extends Row {
  session_id: string
  expires_at: Date
  consumed_at: Date | null
  consumed_by: string | null
  session_ends: Date
  user_id: string
  role: Role
  tenant: string
  plan: string
  epoch: number
  kind: 'password' | 'pin' | 'oauth'
  scopes: Scope[] | null
  amr: string[]
  mfa_required: boolean
}
type Outcome = { next: string; row: TokenRow } | { ended: string } | null

/**
 * Trades a refresh token for new tokens, once. Asked again by the same client within 10 s, as after a lost answer, it
 * gives the same next token; any other reuse means that two hold it, and ends the whole session.
 */
export async function refresh({ ctx, input, deps }: Verb<RefreshInput>): Promise<Tokens> {
  const token = input.refresh_token
  const client = refreshClient(ctx.address, input.userAgent)
  const outcome = await deps.database.inTransaction((sql) => rotate(sql, { token, client, deps }))
  if (outcome && 'next' in outcome) {
    const { row, next } = outcome
    const user = { id: row.user_id, role: row.role, tenant: row.tenant, plan: row.plan, epoch: row.epoch }
    const { session_id: id, session_ends: ends, kind, scopes, amr } = row
    const factorWanted = deps.requireFactor || row.mfa_required
    return issueTokens(deps, { user, session: { id, ends, kind, scopes, amr }, factorWanted, refreshToken: next })
  }
  if (outcome) deps.verifier.revokeSession(outcome.ended)
  throw new AssayError('unauthorized', 'The refresh token is not valid, or not any more. Log in again.')
}

async function rotate(
  sql: Sql,
  { token, client, deps }: { token: string; client: string; deps: GatewayDeps },
): Promise<Outcome> {
  const hash = hashRefreshToken(token)
  const now = deps.clock.now()
  const [row] = await sql.query<TokenRow>(
    `select r.session_id, r.expires_at, r.consumed_at, r.consumed_by, s.expires_at as session_ends,
            s.kind, s.scopes, s.amr, u.id as user_id, u.role, u.tenant, u.epoch, t.plan, t.mfa_required
       from refresh_tokens r join sessions s on s.id = r.session_id join users u on u.id = s.user_id
       join tenants t on t.id = u.tenant
      where r.hash = $1 and u.disabled_at is null for update of r, s`,
    [hash],
  )
  // a client's token is good at /oauth/token only
  if (!row || row.kind === 'oauth' || row.session_ends.getTime() <= now) return null
  const next = nextRefreshToken(token, deps.refreshSecret)
  if (row.consumed_at) return (await isRetry(sql, { row, next, client, now })) ? { next, row } : endFamily(sql, row)
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
    detail: { session: row.session_id },
  })
  return { next, row }
}

/** The client that consumed it asks again, soon, and nobody has used the next token yet. */
async function isRetry(
  sql: Sql,
  asked: { row: TokenRow; next: string; client: string; now: number },
): Promise<boolean> {
  const { row, next, client, now } = asked
  if (row.consumed_by !== client || now - row.consumed_at!.getTime() > REFRESH_GRACE_MS) return false
  const unused = await sql.query('select 1 from refresh_tokens where hash = $1 and consumed_at is null', [
    hashRefreshToken(next),
  ])
  return unused.length > 0
}

async function endFamily(sql: Sql, row: TokenRow): Promise<Outcome> {
  await sql.query('delete from sessions where id = $1', [row.session_id])
  await announceRevoked(sql, { what: 'session', id: row.session_id, userId: row.user_id })
  await recordAudit(sql, {
    action: 'session.reuse_detected',
    actor: row.user_id,
    tenant: row.tenant,
    detail: { session: row.session_id },
  })
  return { ended: row.session_id }
}
