import { AssayError } from '@assay/core/contracts/errors'
import type { Sql } from '@assay/core/ports/db/port'
import { APIError } from 'better-auth/api'
import type { GatewayDeps, Verb } from '../deps.ts'
import { recordAudit } from '../events/record-audit.ts'
import { networkOf } from '../limits/client.ts'
import { issueTokens } from './issue-tokens.ts'
import { addRefreshToken, newRefreshToken } from './refresh-token.ts'
import type { LoginBody, Tokens, User } from './schemas.ts'
import { SESSION_MS } from './session-times.ts'
import { findUser, findUserByEmail, normalizeEmail } from './users.ts'

export interface LoginInput extends LoginBody {
  userAgent: string
}

/** A failure is answered at the next multiple of this, so that the milliseconds an existing user costs more can't be seen. */
const FAILURE_STEP_MS = 100

/** E-mail and password -> a new session and its tokens. Every failure looks and costs the same: invalid_credentials. */
export async function login({ ctx, input, deps }: Verb<LoginInput>): Promise<Tokens> {
  const email = normalizeEmail(input.email)
  const network = networkOf(ctx.address)
  const began = deps.clock.monotonic()
  const attempt = await deps.guard.login({
    email,
    address: ctx.address,
    isKnownAddress: () => isKnown(deps, email, network),
  })
  const signedIn = await signIn(deps, email, input.password).catch(async (error) => {
    await attempt.withdrawn()
    throw error
  })
  if (!signedIn) {
    await recordFailure(deps, email, network)
    await deps.clock.sleep(FAILURE_STEP_MS - ((deps.clock.monotonic() - began) % FAILURE_STEP_MS))
    throw new AssayError('invalid_credentials', 'E-mail or password is wrong.')
  }
  await attempt.succeeded()

  const refreshToken = newRefreshToken()
  const opened = await deps.database.inTransaction(async (sql) => {
    const session = await openSession(sql, {
      token: signedIn.token,
      address: ctx.address,
      userAgent: input.userAgent,
      deps,
    })
    const expires = new Date(deps.clock.now() + deps.idleMs)
    await addRefreshToken(sql, { token: refreshToken, sessionId: session.id, expires })
    await sql.query(
      `insert into known_addresses (user_id, address, seen_at) values ($1, $2, $3)
       on conflict (user_id, address) do update set seen_at = excluded.seen_at`,
      [signedIn.userId, network, new Date(deps.clock.now())],
    )
    const user = (await findUser(sql, signedIn.userId)) as User
    const [{ epoch }] = (await sql.query<{ epoch: number }>('select epoch from users where id = $1', [user.id])) as [
      { epoch: number },
    ]
    await recordAudit(sql, { action: 'login', actor: user.id, tenant: user.tenant, detail: { session: session.id } })
    return { session, user: { ...user, epoch } }
  })
  const { session, user } = opened
  return issueTokens(deps, { user, sessionId: session.id, sessionEnds: session.expires_at, refreshToken })
}

/** better-auth's sign-in: it spends a hash on unknown users too. */
async function signIn(deps: GatewayDeps, email: string, password: string) {
  try {
    const { token, user } = await deps.auth.api.signInEmail({ body: { email, password } })
    return { token, userId: user.id }
  } catch (error) {
    if (error instanceof APIError && error.statusCode < 500) return null
    throw error
  }
}

interface Opening {
  token: string
  address: string
  userAgent: string
  deps: GatewayDeps
}

/** Gives better-auth's new session its absolute end by our clock and says where it came from. */
async function openSession(sql: Sql, { token, address, userAgent, deps }: Opening) {
  const ends = new Date(deps.clock.now() + SESSION_MS)
  const [session] = await sql.query<{ id: string; expires_at: Date }>(
    'update sessions set expires_at = $2, ip_address = $3, user_agent = $4 where token = $1 returning id, expires_at',
    [token, ends, address, userAgent.slice(0, 500)],
  )
  return session!
}

async function isKnown({ database }: GatewayDeps, email: string, network: string): Promise<boolean> {
  const rows = await database.query(
    'select 1 from known_addresses k join users u on u.id = k.user_id where u.email_index = $1 and k.address = $2',
    [database.emailIndex(email), network],
  )
  return rows.length > 0
}

async function recordFailure({ database }: GatewayDeps, email: string, network: string): Promise<void> {
  const user = await findUserByEmail(database, email)
  await database.inTransaction((sql) =>
    recordAudit(sql, {
      action: 'login.failed',
      actor: user?.id ?? 'anonymous',
      tenant: user?.tenant ?? 'default',
      detail: { network },
    }),
  )
}
