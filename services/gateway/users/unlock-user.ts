import type { GatewayDeps } from '../deps.ts'
import type { UserRow } from './rows.ts'

/** What attempts of others, or too many of the own, have locked is open again: logins by password and the PIN. */
export async function unlockUser({ database, guard }: GatewayDeps, { id, email }: UserRow): Promise<void> {
  await database.inTransaction(async (sql) => {
    await sql.query('update pin_accounts set locked_at = null where user_id = $1', [id])
    await sql.query('delete from pin_attempts where user_id = $1', [id])
  })
  const known = await database.query<{ address: string }>(
    'select address from known_addresses where user_id = $1 order by seen_at desc limit 100',
    [id],
  )
  await guard.unlock(
    email,
    known.map(({ address }) => address),
  )
}
