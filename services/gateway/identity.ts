import type { CacheOutcome } from '@assay/core/kernel/cached'
import type { Actor } from '@assay/core/kernel/context'
import { oneAtATime } from '@assay/core/kernel/one-at-a-time'
import { createTokenVerifier } from '@assay/core/kernel/verify-token'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Db } from '@assay/core/ports/db/port'
import type { Limits } from '@assay/core/ports/limits/port'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { keyActor } from './api-keys/key-actor.ts'
import { createAuth } from './auth/better-auth.ts'
import { createAuthDatabase } from './auth/database.ts'
import { createTurns } from './auth/turns.ts'
import type { GatewayDeps } from './deps.ts'
import { createAttemptGuard } from './limits/attempt-guard.ts'
import { limitUnknownKeys } from './limits/unknown-keys.ts'
import { createPasswordHasher } from './passwords/hasher.ts'
import type { PinSettings } from './pin/pin-settings.ts'
import { createPersonalFields } from './privacy/personal-fields.ts'
import { refuseHalfIndexed } from './privacy/replace-email-index.ts'
import { sealPlainUsers } from './privacy/seal-plain-users.ts'
import { sessionState } from './sessions/session-state.ts'
import { ownSecret } from './tokens/own-secret.ts'
import { JWT_SECRETS, openSigningKeys } from './tokens/signing-keys.ts'

export interface IdentityParts {
  db: Db
  secrets: Pick<
    Secrets,
    'getSecret' | 'setSecret' | 'addSecret' | 'encrypt' | 'decrypt' | 'createTotp' | 'verifyTotp' | 'deleteTotp'
  >
  clock: Clock
  /** of logins and registrations */
  limits: Limits
  idleMs: number
  /** new password hashes depend on a key of the secrets port too */
  pepper?: boolean
  requireFactor: boolean
  pin?: PinSettings | null
  /** told the name of each limit that was hit */
  onLimitHit: (name: string) => void
  onCacheAsked: (cache: 'keys' | 'sessions', outcome: CacheOutcome) => void
  /** told of a key that was used from where it must not be */
  onAddressRefused?: (actor: Actor, address: string | undefined) => void
  /** whether what other gateways revoked is known here; absent: there are none */
  isCurrent?: () => boolean
  /** whether OAuth's tokens may name it as their issuer */
  isIssuer?: (issuer: string) => boolean
}

/** Everything the verbs work with, on the platform's ports. */
export async function openIdentity({
  db,
  secrets,
  clock,
  limits,
  idleMs,
  pepper = false,
  requireFactor,
  pin = null,
  onLimitHit,
  onCacheAsked,
  onAddressRefused,
  isCurrent,
  isIssuer,
}: IdentityParts): Promise<GatewayDeps> {
  await refuseHalfIndexed(secrets)
  const personal = createPersonalFields({
    secrets,
    indexKey: await ownSecret(secrets, 'email_index'),
    now: () => clock.monotonic(),
  })
  const database = createAuthDatabase(db.as('gateway'), personal)
  await sealPlainUsers(database)
  // argon2 takes a core for 22 ms; two at a time leave the rest of the machine to the orders
  const hasher = createPasswordHasher({
    running: 2,
    waiting: 64,
    pepper: await pepperOf(secrets, pepper),
  })
  const keys = await openSigningKeys({
    secrets,
    clock,
    alone: (work) => oneAtATime(db, 'gateway signing keys', work),
  })
  const auth = createAuth({ database, hasher, keys, secret: await ownSecret(secrets, 'auth_secret') })
  const verifier = createTokenVerifier({
    clock,
    publicKey: keys.publicKey,
    session: (id) => sessionState({ database, clock }, id),
    apiKeyActor: (key) => keyActor({ database, clock }, key),
    isCurrent,
    issuer: isIssuer,
    refusedAddress: onAddressRefused,
    admitKey: limitUnknownKeys(clock, onLimitHit),
    asked: onCacheAsked,
  })
  const guard = createAttemptGuard({ limits, nameOf: personal.emailIndex, onHit: onLimitHit })
  const refreshSecret = await ownSecret(secrets, 'refresh_secret')
  return {
    database,
    auth,
    hasher,
    loginTurns: createTurns({ running: 3, waiting: 1_024, waitMs: 25_000 }),
    keys,
    verifier,
    guard,
    clock,
    refreshSecret,
    idleMs,
    sealing: secrets,
    totp: secrets,
    pin,
    requireFactor,
  }
}

/** Made where it is first used; kept where it was used once, for the hashes that depend on it. */
async function pepperOf(secrets: Pick<Secrets, 'getSecret' | 'addSecret'>, used: boolean) {
  const key = used
    ? await ownSecret(secrets, 'password_pepper')
    : await secrets.getSecret(JWT_SECRETS, 'password_pepper')
  return key === null ? undefined : { key, used }
}
