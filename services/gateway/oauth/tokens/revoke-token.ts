import { recordAudit } from '@assay/core/kernel/audit'
import { TOKEN_ALGORITHM, TOKEN_TYPE } from '@assay/core/kernel/verify-token'
import type { Row, Sql } from '@assay/core/ports/db/port'
import { errors, jwtVerify } from 'jose'
import { announceRevoked } from '../../events/announce-revoked.ts'
import { hashRefreshToken } from '../../tokens/refresh-token.ts'
import type { OAuthDeps, OAuthVerb } from '../deps.ts'
import { OAuthError } from '../oauth-error.ts'
import type { Parameters } from '../parameters.ts'

interface GrantRow extends Row {
  session_id: string
  client_id: string
  user_id: string
  tenant: string
}

/** Ends the grant of a token, whichever of its two kinds is brought (RFC 7009): nothing of it is good for anything any more. */
export async function revokeToken({ input: form, deps }: OAuthVerb<Parameters>): Promise<void> {
  const token = form.need('token')
  const clientId = form.need('client_id')
  const session = await sessionOfAccessToken(token, deps)
  const ended = await deps.database.inTransaction(async (sql) => {
    const grant = await findGrant(sql, session, token)
    // a token that is not known needs no ending, and saying so would tell which ones are
    if (!grant) return null
    if (grant.client_id !== clientId) throw new OAuthError('unauthorized_client', 'The token is of another client.')
    await sql.query('delete from sessions where id = $1', [grant.session_id])
    await announceRevoked(sql, { what: 'session', id: grant.session_id, userId: grant.user_id })
    await recordAudit(sql, {
      action: 'oauth.revoked',
      actor: grant.user_id,
      tenant: grant.tenant,
      detail: { client: clientId, session: grant.session_id },
    })
    return grant.session_id
  })
  if (ended) deps.verifier.revokeSession(ended)
}

/** The session that an access token of ours names, whichever resource it is for; null for anything else. */
async function sessionOfAccessToken(token: string, { keys, clock }: OAuthDeps): Promise<string | null> {
  if (token.split('.').length !== 3) return null
  try {
    const { payload } = await jwtVerify(
      token,
      async ({ kid }) => {
        const key = kid ? await keys.publicKey(kid) : undefined
        if (!key) throw new errors.JWKSNoMatchingKey()
        return key
      },
      { algorithms: [TOKEN_ALGORITHM], typ: TOKEN_TYPE, currentDate: new Date(clock.now()) },
    )
    return typeof payload.sid === 'string' ? payload.sid : null
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}

async function findGrant(sql: Sql, sessionId: string | null, token: string): Promise<GrantRow | undefined> {
  const [grant] = await sql.query<GrantRow>(
    `select g.session_id, g.client_id, s.user_id, u.tenant
       from oauth_grants g join sessions s on s.id = g.session_id join users u on u.id = s.user_id
      where g.session_id = coalesce($1::uuid, (select session_id from refresh_tokens where hash = $2))`,
    [sessionId, hashRefreshToken(token)],
  )
  return grant
}
