import type { Ctx } from '@assay/core/kernel/context'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'
import { hashDeviceSecret } from './enrol-device.ts'

export interface Presented {
  userId: string
  secret: string
  ctx: Pick<Ctx, 'address'>
  deps: Pick<GatewayDeps, 'clock'>
}

/** The enrolled device of this user that has the secret, seen now; null: it has none. */
export async function findDevice(
  sql: Pick<Sql, 'query'>,
  { userId, secret, ctx, deps }: Presented,
): Promise<{ id: string } | null> {
  const [device] = await sql.query<{ id: string }>(
    'update devices set seen_at = $3, address = $4 where secret_hash = $1 and user_id = $2 returning id',
    [hashDeviceSecret(secret), userId, new Date(deps.clock.now()), ctx.address],
  )
  return device ?? null
}
