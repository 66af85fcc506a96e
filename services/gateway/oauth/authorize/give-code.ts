import { recordAudit } from '@assay/core/kernel/audit'
import type { Sql } from '@assay/core/ports/db/port'
import type { OAuthDeps } from '../deps.ts'
import type { AgentScope } from '../scopes.ts'
import { hashSecretText, newSecretText } from '../secret-text.ts'
import { answer, type Reply } from './reply.ts'
import type { AuthorizationRequest } from './request.ts'

/** A code goes straight from the browser to the client, which trades it at once. */
export const CODE_MS = 60_000

export interface Allowed {
  request: AuthorizationRequest
  /** of those asked for */
  scopes: readonly AgentScope[]
  sessionId: string
  userId: string
  base: string
  deps: OAuthDeps
}

/** The way back to the client with a code for what the user allowed. */
export async function allow(sql: Sql, { request, scopes, sessionId, userId, base, deps }: Allowed): Promise<Reply> {
  const code = newSecretText()
  const { clientId, clientName, redirectUri, resource, challenge } = request
  await sql.query(
    `insert into oauth_codes (hash, session_id, client_id, client_name, redirect_uri, scopes, resource, challenge, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      hashSecretText(code),
      sessionId,
      clientId,
      clientName,
      redirectUri,
      scopes,
      resource,
      challenge,
      new Date(deps.clock.now() + CODE_MS),
    ],
  )
  const [user] = await sql.query<{ tenant: string }>('select tenant from users where id = $1', [userId])
  await recordAudit(sql, {
    action: 'oauth.allowed',
    actor: userId,
    tenant: user!.tenant,
    detail: { client: clientId, session: sessionId, scopes: scopes.join(' '), resource },
  })
  return answer(request, base, { code })
}
