import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import type { GatewayDeps, Verb } from '../deps.ts'
import { enrolDevice } from '../devices/enrol-device.ts'
import { findDevice } from '../devices/find-device.ts'
import { queueLetter } from '../letters/queue-letter.ts'
import { networkOf } from '../limits/client.ts'
import { requireInTime } from '../passwords/drawn-password.ts'
import { showFactor } from '../second-factor/show-factor.ts'
import { noteAddress } from '../sessions/note-address.ts'
import { openSession } from '../sessions/open-session.ts'
import { replaceSession } from '../sessions/replace-session.ts'
import { mayNeedFactor, OWN_ACCOUNT } from '../sessions/session-scopes.ts'
import { issueTokens } from '../tokens/issue-tokens.ts'
import type { Account } from '../users/account.ts'
import { normalizeEmail } from '../users/email.ts'
import { findUserByEmail } from '../users/rows.ts'
import { checkPassword } from './check-password.ts'
import type { Tokens } from './schemas.ts'

export interface LoginInput {
  email: string
  password: string
  /** code of the second factor, or a recovery code */
  totp?: string | undefined
  /** name of the device to enrol */
  device?: string | undefined
  /** of an enrolled one */
  device_secret?: string | undefined
  userAgent: string
}

/** A failure is answered at the next multiple of this, so that the milliseconds an existing user costs more can't be seen. */
const FAILURE_STEP_MS = 100

/** E-mail, password and second factor -> a new session and its tokens. Every wrong password looks and costs the same. */
export async function login({ ctx, input, deps }: Verb<LoginInput>): Promise<Tokens> {
  const email = normalizeEmail(input.email)
  const network = networkOf(ctx.address)
  const began = deps.clock.monotonic()
  const attempt = await deps.guard.login({
    email,
    address: ctx.address,
    isKnownAddress: () => isKnown(deps, email, network),
  })
  const account = await checkPassword(deps, email, input.password).catch(async (error) => {
    await attempt.withdrawn()
    throw error
  })
  if (!account) {
    await recordFailure(deps, email, network)
    await untilNextStep(deps.clock, began)
    throw new AssayError('invalid_credentials', 'E-mail or password is wrong.')
  }
  await attempt.succeeded()
  requireInTime(deps, account)
  const shown = await showFactor(deps, { account, code: input.totp, address: ctx.address })
  return signIn({ ctx, input, deps }, account, shown)
}

async function signIn(
  { ctx, input, deps }: Verb<LoginInput>,
  account: Account,
  shown: 'otp' | 'recovery' | null,
): Promise<Tokens> {
  const { id: userId, tenant, drawnAt } = account
  const scopes = drawnAt === null ? null : OWN_ACCOUNT
  const amr = ['pwd', ...(shown ? [shown] : [])]
  const opened = await deps.database.inTransaction(async (sql) => {
    const device = input.device_secret
      ? await findDevice(sql, { userId, secret: input.device_secret, ctx, deps })
      : null
    const enrolled =
      input.device === undefined ? null : await enrolDevice(sql, { account, name: input.device, ctx, deps })
    const session = await openSession(sql, deps, {
      userId,
      epoch: account.epoch,
      kind: 'password',
      scopes,
      amr,
      confirmed: shown !== null,
      deviceId: enrolled?.id ?? device?.id ?? null,
      address: ctx.address,
      userAgent: input.userAgent,
    })
    const replaced = await replaceSession(sql, { ctx, userId, by: session.id })
    const isNew = await noteAddress(sql, { userId, address: ctx.address, deps })
    if (enrolled || (isNew && !device))
      await queueLetter(sql, deps.clock, { kind: 'new_device', userId, data: { network: networkOf(ctx.address) } })
    const detail = { session: session.id, amr: amr.join(' ') }
    await recordAudit(sql, { action: 'login', actor: userId, tenant, detail })
    return { session, enrolled, replaced }
  })
  const { session, enrolled, replaced } = opened
  for (const ended of [...session.ended, ...(replaced ? [replaced] : [])]) deps.verifier.revokeSession(ended)
  const tokens = await issueTokens(deps, {
    user: account,
    session: { id: session.id, ends: session.ends, kind: 'password', scopes, amr },
    factorWanted: deps.requireFactor || account.tenantWantsFactor,
    refreshToken: session.refreshToken,
  })
  const mustEnrol = (deps.requireFactor || account.tenantWantsFactor) && mayNeedFactor(account.role) && !shown
  return {
    ...tokens,
    ...(mustEnrol && { second_factor: 'enrol' as const }),
    ...(drawnAt !== null && { password: 'change' as const }),
    ...(enrolled && { device: enrolled }),
  }
}

export async function untilNextStep(clock: GatewayDeps['clock'], began: number): Promise<void> {
  await clock.sleep(FAILURE_STEP_MS - ((clock.monotonic() - began) % FAILURE_STEP_MS))
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
