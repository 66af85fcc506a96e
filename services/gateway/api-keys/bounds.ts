import { AssayError } from '@assay/core/contracts/errors'
import type { Actor } from '@assay/core/kernel/context'
import { createProxyList } from '@assay/core/kernel/proxies'
import type { Role } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import { requireFreshFactor } from '../second-factor/require-fresh-factor.ts'
import { isPrivileged, requirePromoter } from '../users/authority.ts'

export interface KeyOwner {
  id: string
  role: Role
  tenant: string
}

/** Whoever holds a key acts as its owner: a key of another operator or admin is for those who could make one. */
export async function requireAuthorityOver(deps: GatewayDeps, actor: Actor, owner: KeyOwner): Promise<void> {
  if (owner.id === actor.userId) return
  if (owner.role === 'service')
    throw new AssayError('forbidden', 'Users of services have no keys.', { field: 'user_id' })
  requirePromoter(actor, owner.tenant, [owner.role])
  if (isPrivileged(owner.role)) await requireFreshFactor(deps, actor)
}

/** What a key makes ends no later than it does itself. */
export function requireEnds({ keyId, expiresAt }: Actor, expires: Date | null): void {
  if (keyId === undefined || expiresAt === undefined || (expires !== null && expires.getTime() <= expiresAt)) return
  throw new AssayError('forbidden', 'The key would outlive the one that makes it.', { field: 'expires_at' })
}

/** What a key makes, or replaces, is good from nowhere else than it is itself: else its own addresses would be none. */
export function requireAddresses({ addresses: own = [] }: Actor, addresses: readonly string[]): void {
  if (own.length === 0) return
  const covers = createProxyList(own)
  if (addresses.length > 0 && addresses.every((one) => own.includes(one) || covers(one))) return
  throw new AssayError('forbidden', 'The key would be good from where the one that asks is not.', {
    field: 'addresses',
  })
}
