import { AssayError } from '@assay/core/contracts/errors'
import type { Scope } from '@assay/core/contracts/scopes'
import { recordAudit } from '@assay/core/kernel/audit'
import { untilNextStep } from '../auth/login.ts'
import type { Tokens } from '../auth/schemas.ts'
import type { GatewayDeps, Verb } from '../deps.ts'
import { findDevice } from '../devices/find-device.ts'
import { networkOf } from '../limits/client.ts'
import { openSession } from '../sessions/open-session.ts'
import { mayNeedFactor } from '../sessions/session-scopes.ts'
import { issueTokens } from '../tokens/issue-tokens.ts'
import { type Account, accountByEmail } from '../users/account.ts'
import { normalizeEmail } from '../users/email.ts'
import { attemptFailed, countAttempt, type PinAttempt } from './count-attempt.ts'

export interface PinInput {
  pin: string
  /** of an enrolled device of the account */
  device_secret?: string | undefined
  userAgent: string
}
const SCOPES: readonly Scope[] = ['bot:control']

/**
 * The operator's PIN on a device it enrolled, or from a listed address, for `bot:control` and nothing else. Anybody else
 * gets the answer of a wrong PIN, whatever they send, and uses up no try of the operator's.
 */
export async function pinLogin({ ctx, input, deps }: Verb<PinInput>): Promise<Tokens> {
  const began = deps.clock.monotonic()
  const account = await pinAccount(deps)
  if (!deps.pin || !account) return refuse(deps, began)
  const { id: userId, tenant } = account
  const { device_secret: secret } = input
  const device = secret ? await findDevice(deps.database, { userId, secret, ctx, deps }) : null
  const looked = device !== null || deps.pin.isListed(ctx.address)
  const attempt: PinAttempt = { account, network: networkOf(ctx.address), looked }
  const counted = await countAttempt(deps, attempt)
  if (counted === 'locked')
    throw new AssayError('pin_locked', 'Too many wrong PINs: an operator must unlock it, logged in.')
  if ('waitMs' in counted)
    throw new AssayError('rate_limited', 'Too many attempts. Wait before the next one.', {
      retryAfterS: Math.max(1, Math.ceil(counted.waitMs / 1_000)),
    })
  if (!deps.pin.matches(input.pin) || !looked) {
    await attemptFailed(deps, attempt)
    return refuse(deps, began)
  }
  const amr = ['pin', device ? 'device' : 'address']
  const session = await deps.database.inTransaction(async (sql) => {
    await sql.query('delete from pin_attempts where id = $1', [counted.id])
    const { address } = ctx
    const opened = await openSession(sql, deps, {
      userId,
      epoch: account.epoch,
      kind: 'pin',
      scopes: SCOPES,
      amr,
      deviceId: device?.id ?? null,
      address,
      userAgent: input.userAgent,
    })
    const detail = { session: opened.id, kind: 'pin', amr: amr.join(' ') }
    await recordAudit(sql, { action: 'login', actor: userId, tenant, detail })
    return opened
  })
  for (const ended of session.ended) deps.verifier.revokeSession(ended)
  return issueTokens(deps, {
    user: account,
    session: { id: session.id, ends: session.ends, kind: 'pin', scopes: SCOPES, amr },
    factorWanted: false,
    refreshToken: session.refreshToken,
  })
}

/** The configured account while it may control bots. */
export async function pinAccount({ pin, database }: Pick<GatewayDeps, 'pin' | 'database'>): Promise<Account | null> {
  const account = pin && (await accountByEmail(database, normalizeEmail(pin.email)))
  return account && !account.disabled && mayNeedFactor(account.role) ? account : null
}

async function refuse({ clock }: GatewayDeps, began: number): Promise<never> {
  await untilNextStep(clock, began)
  throw new AssayError('invalid_credentials', 'The PIN is wrong, or not taken from here.', { field: 'pin' })
}
