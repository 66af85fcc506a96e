import { ROLE_SCOPES, type Scope } from '@assay/core/contracts/scopes'
import type { Role } from '../auth/schemas.ts'

export interface SessionMeans {
  role: Role
  /** what it was cut to when it was opened; null: nothing */
  scopes: readonly Scope[] | null
  /** how its user was recognised */
  amr: readonly string[]
  kind: 'password' | 'pin' | 'oauth'
  /** the tenant or the platform wants a second factor of operators and admins */
  factorWanted: boolean
}
/** What one holds who still has to enrol a second factor, or to choose a password: enough to do that. */
export const OWN_ACCOUNT: readonly Scope[] = ['account:read', 'account:write']
const FACTORS = ['otp', 'recovery']

export const hasFactor = (amr: readonly string[]): boolean => amr.some((method) => FACTORS.includes(method))
export const mayNeedFactor = (role: Role): boolean => role === 'operator' || role === 'admin'

/** What the access tokens of a session hold. */
export function sessionScopes({ role, scopes, amr, kind, factorWanted }: SessionMeans): Scope[] {
  const held = (ROLE_SCOPES[role] ?? []).filter((scope) => !scopes || scopes.includes(scope))
  if (kind === 'pin' || !factorWanted || !mayNeedFactor(role) || hasFactor(amr)) return held
  return held.filter((scope) => OWN_ACCOUNT.includes(scope))
}
