import type { Role } from '../../auth/schemas.ts'
import { sessionScopes } from '../../sessions/session-scopes.ts'
import { ACCESS_TOKEN_MS } from '../../sessions/session-times.ts'
import type { OAuthDeps } from '../deps.ts'
import { audiencesOfResource } from '../resources.ts'
import type { GrantedTokens } from '../schemas.ts'
import type { AgentScope } from '../scopes.ts'

export interface Granted {
  base: string
  clientId: string
  resource: string
  /** what the user allowed, or of that what the client asks for this time */
  scopes: readonly AgentScope[]
  user: { id: string; role: Role; tenant: string; plan: string; epoch: number }
  session: { id: string; ends: Date; amr: readonly string[] }
  /** the tenant wants a second factor of operators and admins */
  factorWanted: boolean
  refreshToken: string
}

/** An access token for a client (RFC 9068): for one resource, with what the user allowed of what the role holds now. */
export async function grantTokens(deps: OAuthDeps, grant: Granted): Promise<GrantedTokens> {
  const { auth, clock, idleMs } = deps
  const { base, clientId, resource, user, session, refreshToken } = grant
  const now = clock.now()
  const iat = Math.floor(now / 1_000)
  const exp = Math.floor(Math.min(now + ACCESS_TOKEN_MS, now + idleMs, session.ends.getTime()) / 1_000)
  const factorWanted = deps.requireFactor || grant.factorWanted
  const { role } = user
  const held: readonly string[] = sessionScopes({
    role,
    scopes: grant.scopes,
    amr: session.amr,
    kind: 'oauth',
    factorWanted,
  })
  const scope = grant.scopes.filter((one) => held.includes(one)).join(' ')
  const { token } = await auth.api.signJWT({
    body: {
      payload: {
        iss: base,
        aud: audiencesOfResource(base, resource),
        sub: user.id,
        sid: session.id,
        client_id: clientId,
        jti: crypto.randomUUID(),
        epoch: user.epoch,
        iat,
        nbf: iat,
        exp,
        scope,
        role,
        tenant: user.tenant,
        plan: user.plan,
      },
    },
  })
  return { access_token: token, token_type: 'Bearer', expires_in: exp - iat, refresh_token: refreshToken, scope }
}
