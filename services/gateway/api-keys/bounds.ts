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

/** What a key makes ends no later than it does itself, and is good from nowhere else: else its own bounds would be none. */
export function requireWithin(actor: Actor, key: { expires: Date | null; addresses: readonly string[] }): void {
  if (actor.keyId === undefined) return
  const { expiresAt, addresses: own = [] } = actor
  if (expiresAt !== undefined && (key.expires === null || key.expires.getTime() > expiresAt))
    throw new AssayError('forbidden', 'The key would outlive the one that makes it.', { field: 'expires_at' })
  if (own.length === 0) return
  const covers = createProxyList(own)
  if (key.addresses.length === 0 || !key.addresses.every((one) => own.includes(one) || covers(one)))
    throw new AssayError('forbidden', 'The key would be good from where the one that makes it is not.', {
      field: 'addresses',
    })
}
