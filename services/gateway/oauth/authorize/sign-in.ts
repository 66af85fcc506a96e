import { AssayError } from '@assay/core/contracts/errors'
import type { Sql } from '@assay/core/ports/db/port'
import { decodeJwt } from 'jose'
import { login } from '../../auth/login.ts'
import { PASSWORD_MAX } from '../../auth/schemas.ts'
import { SESSION_MS } from '../../sessions/session-times.ts'
import { findUser } from '../../users/rows.ts'
import { isOwned } from '../clients/redirect-uri.ts'
import type { OAuthDeps, OAuthVerb } from '../deps.ts'
import { OAuthError } from '../oauth-error.ts'
import { consentPage } from '../pages/consent-page.ts'
import { loginPage } from '../pages/login-page.ts'
import type { Parameters } from '../parameters.ts'
import { type AgentScope, isAgentScope } from '../scopes.ts'
import { openForm, PAGE_MS } from '../sealed-form.ts'
import { hashSecretText, newSecretText } from '../secret-text.ts'
import { allow } from './give-code.ts'
import { formPage, type Reply, refusal } from './reply.ts'
import type { AuthorizationRequest } from './request.ts'

const EMAIL_MAX = 254

export interface SigningIn {
  form: Parameters
  base: string
  browser: string | null
  userAgent: string
}

/**
 * The login of the platform, with its limits, second factor and audit; the session that it opens becomes the grant. What
 * a user let the same client do in a session that still lives is not asked again.
 */
export async function signIn({ ctx, input, deps }: OAuthVerb<SigningIn>): Promise<Reply> {
  const request = sealedRequest(input, deps)
  const email = input.form.get('email') ?? ''
  const token = await logIn({ ctx, input, deps }).catch((error: unknown) => {
    if (error instanceof AssayError && error.code !== 'internal') return error
    throw error
  })
  if (token instanceof AssayError) {
    const page = loginPage({ asker: request, sealed: input.form.need('request'), email, problem: wordsOf(token) })
    // 401 would need a challenge, and a browser answers that with a dialogue of its own
    const status = token.status === 401 ? 403 : token.status
    return formPage(page, request, { status, retryAfterS: token.options.retryAfterS })
  }
  const { sid, sub, scope } = decodeJwt(token) as { sid: string; sub: string; scope: string }
  const held = new Set(scope.split(' ').filter(isAgentScope))
  const scopes = request.scopes.filter((one) => held.has(one))
  if (scopes.length === 0) {
    // nobody got a token of it: nothing has to be told
    await deps.database.query('delete from sessions where id = $1', [sid])
    return refusal(request, input.base, new OAuthError('access_denied', 'The user holds none of these scopes.'))
  }
  const asked = { ...request, scopes }
  return deps.database.inTransaction(async (sql) => {
    // nobody holds its refresh token, and until a client has its code traded it is good for nothing
    await sql.query('delete from refresh_tokens where session_id = $1', [sid])
    const [still] = await sql.query(
      `update sessions set kind = 'oauth', scopes = '{}' where id = $1 and kind = 'password' returning 1`,
      [sid],
    )
    if (!still) throw new OAuthError('invalid_request', 'Your sessions were ended just now. Go back and sign in again.')
    if (await isRemembered(sql, sub, asked, deps.clock.now()))
      return allow(sql, { request: asked, scopes, sessionId: sid, userId: sub, base: input.base, deps })
    const ticket = newSecretText()
    await sql.query(
      'insert into oauth_tickets (hash, session_id, browser_hash, request, expires_at) values ($1, $2, $3, $4::jsonb, $5)',
      [
        hashSecretText(ticket),
        sid,
        hashSecretText(input.browser!),
        JSON.stringify(asked),
        new Date(deps.clock.now() + PAGE_MS),
      ],
    )
    const user = await findUser(sql, sub)
    return formPage(
      consentPage({ request: asked, ticket, email: user?.email ?? email, hours: SESSION_MS / 3_600_000 }),
      asked,
    )
  })
}

/** Which form a page of ours showed to this browser. Throws invalid_request. */
function sealedRequest({ form, browser }: SigningIn, deps: OAuthDeps): AuthorizationRequest {
  const opened =
    browser &&
    openForm<AuthorizationRequest>(form.need('request'), {
      secret: deps.refreshSecret,
      browser,
      now: deps.clock.now(),
    })
  if (!opened) throw new OAuthError('invalid_request', 'This page is too old, or of another browser.')
  return opened
}

/** As a person reads it who has the form before them, and its password field empty. */
const wordsOf = ({ code, detail }: AssayError): string =>
  code === 'second_factor_required'
    ? 'Enter your password again, and with it the code of your authenticator, or a recovery code.'
    : detail

/** The token of a login with what the form holds. What no user can have is wrong before it is looked up or hashed. */
async function logIn({ ctx, input: { form, userAgent }, deps }: OAuthVerb<SigningIn>): Promise<string> {
  const [email, password, totp] = [form.get('email'), form.get('password'), form.get('totp')?.replace(/\s/g, '')]
  if (!email || !password || email.length > EMAIL_MAX || password.length > PASSWORD_MAX)
    throw new AssayError('invalid_credentials', 'E-mail or password is wrong.')
  const input = { email, password, userAgent, ...(totp && { totp }) }
  return (await login({ ctx, input, deps })).token
}

/** Only for addresses that somebody owns: any program may wait at a port of this machine and call itself this client (RFC 8252 section 8.6). */
async function isRemembered(
  sql: Sql,
  userId: string,
  { clientId, redirectUri, resource, scopes }: AuthorizationRequest,
  now: number,
): Promise<boolean> {
  if (!isOwned(redirectUri)) return false
  const grants = await sql.query<{ scopes: AgentScope[] }>(
    `select g.scopes from oauth_grants g join sessions s on s.id = g.session_id
      where s.user_id = $1 and g.client_id = $2 and g.redirect_uri = $3 and g.resource = $4 and s.expires_at > $5`,
    [userId, clientId, redirectUri, resource, new Date(now)],
  )
  return grants.some((grant) => scopes.every((scope) => grant.scopes.includes(scope)))
}
