import { ROLE_SCOPES } from '@assay/core/contracts/scopes'
import type { GatewayDeps } from '../deps.ts'
import type { Tokens, User } from './schemas.ts'
import { ACCESS_TOKEN_MS } from './session-times.ts'

export interface Issue {
  user: Pick<User, 'id' | 'role' | 'tenant' | 'plan'> & { epoch: number }
  sessionId: string
  sessionEnds: Date
  refreshToken: string
}

/** An access token for the session beside its refresh token; it never outlives the session. */
export async function issueTokens({ auth, clock, idleMs }: GatewayDeps, issue: Issue): Promise<Tokens> {
  const { user, sessionId, sessionEnds, refreshToken } = issue
  const now = clock.now()
  const iat = Math.floor(now / 1_000)
  const exp = Math.floor(Math.min(now + ACCESS_TOKEN_MS, now + idleMs, sessionEnds.getTime()) / 1_000)
  const { token } = await auth.api.signJWT({
    body: {
      payload: {
        sub: user.id,
        sid: sessionId,
        jti: crypto.randomUUID(),
        epoch: user.epoch,
        iat,
        nbf: iat,
        exp,
        scope: (ROLE_SCOPES[user.role] ?? []).join(' '),
        role: user.role,
        tenant: user.tenant,
        plan: user.plan,
      },
    },
  })
  return { success: true, token, refresh_token: refreshToken, expires_in: exp - iat }
}
