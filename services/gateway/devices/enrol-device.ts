import { createHash, randomBytes } from 'node:crypto'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Ctx } from '@assay/core/kernel/context'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'
import type { Account } from '../users/account.ts'

/** Of one user; a further one takes the place of the one that was not seen for longest. */
export const DEVICES_PER_USER = 20

export const hashDeviceSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

export interface Enrolment {
  account: Pick<Account, 'id' | 'tenant'>
  name: string
  ctx: Pick<Ctx, 'address'>
  deps: Pick<GatewayDeps, 'clock'>
}

/** A device that is known from now on by its secret, 256 random bits that are in this answer only. */
export async function enrolDevice(
  sql: Sql,
  { account, name, ctx, deps }: Enrolment,
): Promise<{ id: string; secret: string }> {
  const { id: userId, tenant } = account
  const id = Bun.randomUUIDv7()
  const secret = `assayd_${randomBytes(32).toString('base64url')}`
  await sql.query(
    `insert into devices (id, user_id, name, secret_hash, address, created_at, seen_at)
     values ($1, $2, $3, $4, $5, $6, $6)`,
    [id, userId, name, hashDeviceSecret(secret), ctx.address, new Date(deps.clock.now())],
  )
  await sql.query(
    `delete from devices where id in (
       select id from devices where user_id = $1 order by seen_at desc, id desc offset ${DEVICES_PER_USER})`,
    [userId],
  )
  await recordAudit(sql, { action: 'device.enrolled', actor: userId, tenant, detail: { device: id } })
  return { id, secret }
}
