import { ROLE_SCOPES } from '@assay/core/contracts/scopes'
import type { Actor } from '@assay/core/kernel/context'
import type { Role } from '../auth/schemas.ts'
import type { GatewayDeps } from '../deps.ts'
import { hashApiKey, isApiKey } from './key-format.ts'
import type { ApiKeyRow } from './rows.ts'

interface KeyOwnerRow extends ApiKeyRow {
  role: Role
  tenant: string
  plan: string
}

/** The actor of a living key: its scopes, cut to what its owner's role holds now; null for any other text. */
export async function keyActor(
  { database, clock }: Pick<GatewayDeps, 'database' | 'clock'>,
  key: string,
): Promise<Actor | null> {
  if (!isApiKey(key)) return null
  const [row] = await database.query<KeyOwnerRow>(
    `select k.*, u.role, u.tenant, t.plan from api_keys k join users u on u.id = k.user_id
       join tenants t on t.id = u.tenant
      where k.hash = $1 and u.disabled_at is null and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)`,
    [hashApiKey(key), new Date(clock.now())],
  )
  if (!row) return null
  const ofRole = ROLE_SCOPES[row.role] ?? []
  return {
    userId: row.user_id,
    role: row.role,
    tenant: row.tenant,
    plan: row.plan,
    scopes: row.scopes.filter((scope) => ofRole.includes(scope)),
    keyId: row.id,
    limits: {
      requestsPerMinute: row.requests_per_minute ?? undefined,
      ordersPerSecond: row.orders_per_second ?? undefined,
    },
    ...(row.addresses.length > 0 && { addresses: row.addresses }),
    expiresAt: row.expires_at?.getTime(),
  }
}
