import { type Page, toPage } from '@assay/core/contracts/wire/page'
import type { Row } from '@assay/core/ports/db/port'
import type { Verb } from '../deps.ts'
import { ownerToRead } from '../sessions/owner.ts'
import type { OwnerQuery } from '../sessions/schemas.ts'
import type { Device } from './schemas.ts'

interface DeviceRow extends Row {
  id: string
  name: string
  current: boolean
  address: string
  created_at: Date
  seen_at: Date
}

/** Enrolled devices, newest first. */
export async function listDevices({ ctx, input, deps }: Verb<OwnerQuery>): Promise<Page<Device>> {
  const { actor, owner } = await ownerToRead(deps.database, ctx, input.user_id)
  const rows = await deps.database.shownTo(actor).query<DeviceRow>(
    `select d.id, d.name, d.address, d.created_at, d.seen_at,
            exists (select 1 from sessions s where s.device_id = d.id and s.id = $2) as current
       from devices d where d.user_id = $1 and ($3::text is null or d.id::text < $3) order by d.id desc limit $4`,
    [owner, actor.sessionId ?? null, input.cursor ?? null, input.limit + 1],
  )
  return toPage(
    rows,
    input.limit,
    ({ id, name, current, address, created_at, seen_at }): Device => ({
      id,
      name,
      current,
      address,
      created_at: created_at.toISOString(),
      seen_at: seen_at.toISOString(),
    }),
    ({ id }) => id,
  )
}
