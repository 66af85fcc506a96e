import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import type { Role } from '../auth/schemas.ts'

/** Who acts, or would: a user's role in a tenant. */
export interface Authority {
  role: string
  tenant: string
}
export const isPrivileged = (role: Role): boolean => role === 'operator' || role === 'admin'

/** Whether operators of this tenant are theirs to see and change: their own tenant's, for the house everybody's. */
export const governs = (actor: Authority, tenant: string): boolean => actor.tenant === tenant || isHouse(actor)

/** The house makes operators everywhere, an admin in the own tenant; nobody else. */
export const mayPromote = (actor: Authority, tenant: string): boolean =>
  isHouse(actor) || (actor.role === 'admin' && actor.tenant === tenant)

/** Throws forbidden where a role that is given, or taken away, is not for this actor to give. */
export function requirePromoter(actor: Authority, tenant: string, roles: readonly Role[]): void {
  if (!roles.some(isPrivileged) || mayPromote(actor, tenant)) return
  throw new AssayError(
    'forbidden',
    'Operators and admins are made, and changed, by an admin of the tenant or the house.',
    {
      field: 'role',
    },
  )
}
