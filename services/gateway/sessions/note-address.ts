import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'
import { networkOf } from '../limits/client.ts'

/** Remembers from which network a user logged in; true where it is a new one of a user who came from others before. */
export async function noteAddress(
  sql: Pick<Sql, 'query'>,
  { userId, address, deps }: { userId: string; address: string; deps: Pick<GatewayDeps, 'clock'> },
): Promise<boolean> {
  const network = networkOf(address)
  const [row] = await sql.query<{ is_new: boolean }>(
    `with noted as (
       insert into known_addresses (user_id, address, seen_at) values ($1, $2, $3)
       on conflict (user_id, address) do update set seen_at = excluded.seen_at)
     select exists (select 1 from known_addresses where user_id = $1)
        and not exists (select 1 from known_addresses where user_id = $1 and address = $2) as is_new`,
    [userId, network, new Date(deps.clock.now())],
  )
  return row!.is_new
}
