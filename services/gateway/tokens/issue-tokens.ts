import type { Scope } from '@assay/core/contracts/scopes'
import type { Tokens, User } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import { sessionScopes } from '../sessions/session-scopes.ts'
import { ACCESS_TOKEN_MS } from '../sessions/session-times.ts'

export interface Issue {
  user: Pick<User, 'id' | 'role' | 'tenant' | 'plan'> & { epoch: number }
  session: {
    id: string
    ends: Date
    kind: 'password' | 'pin' | 'oauth'
    scopes: readonly Scope[] | null
    amr: readonly string[]
  }
  /** of operators and admins, by the platform or the tenant */
  factorWanted: boolean
  refreshToken: string
}

/** An access token for the session beside its refresh token; it never outlives the session. */
export async function issueTokens({ auth, clock, idleMs }: GatewayDeps, issue: Issue): Promise<Tokens> {
  const { user, session, factorWanted, refreshToken } = issue
  const now = clock.now()
  const iat = Math.floor(now / 1_000)
  const exp = Math.floor(Math.min(now + ACCESS_TOKEN_MS, now + idleMs, session.ends.getTime()) / 1_000)
  const { token } = await auth.api.signJWT({
    body: {
      payload: {
        sub: user.id,
        sid: session.id,
        jti: crypto.randomUUID(),
        epoch: user.epoch,
        iat,
        nbf: iat,
        exp,
        scope: sessionScopes({ ...session, role: user.role, factorWanted }).join(' '),
        role: user.role,
        tenant: user.tenant,
        plan: user.plan,
      },
    },
  })
  return { success: true, token, refresh_token: refreshToken, expires_in: exp - iat }
}
