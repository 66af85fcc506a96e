import { createHash } from 'node:crypto'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Row, Sql } from '@assay/core/ports/db/port'
import type { Role } from '../../auth/schemas.ts'
import { endMisused } from '../../sessions/end-misused.ts'
import { addRefreshToken, newRefreshToken } from '../../tokens/refresh-token.ts'
import type { OAuthDeps, OAuthVerb } from '../deps.ts'
import { OAuthError } from '../oauth-error.ts'
import type { Parameters } from '../parameters.ts'
import { resourceOf } from '../resources.ts'
import type { GrantedTokens } from '../schemas.ts'
import type { AgentScope } from '../scopes.ts'
import { hashSecretText } from '../secret-text.ts'
import { grantTokens } from './grant-tokens.ts'

export interface Exchange {
  form: Parameters
  base: string
}
interface CodeRow extends Row {
  session_id: string
  client_id: string
  client_name: string
  redirect_uri: string
  scopes: AgentScope[]
  resource: string
  challenge: string
  expires_at: Date
  used_at: Date | null
  session_ends: Date
  amr: string[]
  mfa_required: boolean
  user_id: string
  role: Role
  tenant: string
  plan: string
  epoch: number
}
type Outcome = { row: CodeRow; refreshToken: string } | { ended: string } | null

/**
 * A code for tokens, once. The session of the login becomes the grant. Whoever brings a code a second time, or without
 * what proves that it is theirs, ends what it gave: a code that two have is in wrong hands.
 */
export async function exchangeCode({ input, deps }: OAuthVerb<Exchange>): Promise<GrantedTokens> {
  const { form, base } = input
  const asked = {
    code: form.need('code'),
    clientId: form.need('client_id'),
    verifier: form.need('code_verifier'),
    redirectUri: form.get('redirect_uri'),
    resource: form.all('resource').length > 0 ? resourceOf(base, form.all('resource')) : null,
  }
  if (!/^[\w.~-]{43,128}$/.test(asked.verifier))
    throw new OAuthError('invalid_request', 'code_verifier: must be 43 to 128 characters of A-Z a-z 0-9 - . _ ~')
  const outcome = await deps.database.inTransaction((sql) => take(sql, asked, deps))
  if (outcome && 'row' in outcome) {
    const { row, refreshToken } = outcome
    return grantTokens(deps, {
      base,
      clientId: row.client_id,
      resource: row.resource,
      scopes: row.scopes,
      user: { id: row.user_id, role: row.role, tenant: row.tenant, plan: row.plan, epoch: row.epoch },
      session: { id: row.session_id, ends: row.session_ends, amr: row.amr },
      factorWanted: row.mfa_required,
      refreshToken,
    })
  }
  if (outcome) deps.verifier.revokeSession(outcome.ended)
  throw new OAuthError('invalid_grant', 'The code is not valid, or not any more.')
}

interface Asked {
  code: string
  clientId: string
  verifier: string
  redirectUri: string | null
  resource: string | null
}

async function take(sql: Sql, asked: Asked, deps: OAuthDeps): Promise<Outcome> {
  const now = deps.clock.now()
  const hash = hashSecretText(asked.code)
  const [row] = await sql.query<CodeRow>(
    `select c.*, s.expires_at as session_ends, s.amr, u.id as user_id, u.role, u.tenant, u.epoch, t.plan,
            t.mfa_required
       from oauth_codes c join sessions s on s.id = c.session_id join users u on u.id = s.user_id
       join tenants t on t.id = u.tenant
      where c.hash = $1 and u.disabled_at is null for update of c, s`,
    [hash],
  )
  if (!row) return null
  if (row.used_at || !isTheirs(asked, row)) return endMisused(sql, 'oauth.code_misused', row)
  if (row.expires_at.getTime() <= now || row.session_ends.getTime() <= now) return null
  await sql.query('update oauth_codes set used_at = $2 where hash = $1', [hash, new Date(now)])
  await sql.query(
    `insert into oauth_grants (session_id, client_id, client_name, redirect_uri, scopes, resource, granted_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [row.session_id, row.client_id, row.client_name, row.redirect_uri, row.scopes, row.resource, new Date(now)],
  )
  await sql.query('update sessions set scopes = $2 where id = $1', [row.session_id, row.scopes])
  await sql.query('update oauth_clients set used_at = $2 where id = $1', [row.client_id, new Date(now)])
  const refreshToken = newRefreshToken()
  const expires = new Date(Math.min(now + deps.idleMs, row.session_ends.getTime()))
  await addRefreshToken(sql, { token: refreshToken, sessionId: row.session_id, expires })
  await recordAudit(sql, {
    action: 'oauth.granted',
    actor: row.user_id,
    tenant: row.tenant,
    detail: { client: row.client_id, session: row.session_id },
  })
  return { row, refreshToken }
}

/** The client that asked, at the address it asked for, with the secret of its request (PKCE). */
const isTheirs = (asked: Asked, row: CodeRow): boolean =>
  asked.clientId === row.client_id &&
  (asked.redirectUri ?? row.redirect_uri) === row.redirect_uri &&
  (asked.resource ?? row.resource) === row.resource &&
  createHash('sha256').update(asked.verifier).digest('base64url') === row.challenge
