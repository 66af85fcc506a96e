import type { Ctx } from '@assay/core/kernel/context'
import type { RevocableVerifier } from '@assay/core/kernel/verify-token'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Secrets } from '@assay/core/ports/secrets/port'
import type { Auth } from './auth/better-auth.ts'
import type { AuthDatabase } from './auth/database.ts'
import type { Turns } from './auth/turns.ts'
import type { AttemptGuard } from './limits/attempt-guard.ts'
import type { PasswordHasher } from './passwords/hasher.ts'
import type { PinSettings } from './pin/pin-settings.ts'
import type { SigningKeys } from './tokens/signing-keys.ts'

/** What the verbs of the gateway work with. */
export interface GatewayDeps {
  /** schema gateway, shared with better-auth */
  database: AuthDatabase
  auth: Auth
  hasher: PasswordHasher
  /** of logins: a few have their password looked at, the others wait */
  loginTurns: Turns
  keys: SigningKeys
  verifier: RevocableVerifier
  guard: AttemptGuard
  /** of what is stored about people who are no users yet */
  sealing: Pick<Secrets, 'encrypt' | 'decrypt'>
  /** keys of second factors */
  totp: Pick<Secrets, 'createTotp' | 'verifyTotp' | 'deleteTotp'>
  /** null: nobody logs in by a PIN */
  pin: PinSettings | null
  /** every operator and admin needs a second factor, whatever the tenant asks */
  requireFactor: boolean
  clock: Clock
  /** derives each refresh token from the one before it */
  refreshSecret: string
  /** a session without a refresh ends after this */
  idleMs: number
}
/** What every verb is called with. */
export interface Verb<Input> {
  ctx: Ctx
  input: Input
  deps: GatewayDeps
}
