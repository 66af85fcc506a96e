import { recordAudit } from '@assay/core/kernel/audit'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'
import type { Account } from '../users/account.ts'

const MINUTE = 60_000
const PER_ADDRESS = { tries: 5, windowMs: 15 * MINUTE }
const IN_ALL = { tries: 10, windowMs: 60 * MINUTE }

export interface PinAttempt {
  account: Pick<Account, 'id' | 'tenant'>
  network: string
  /** from an enrolled device or a listed address: the PIN will be compared. Others can't use the tries up. */
  looked: boolean
}
export type Counted = { id: string } | { waitMs: number } | 'locked'

/**
 * Counts an attempt before its PIN is compared, in the database: neither a restart nor another process gives anybody
 * more tries, and racing ones stand in line at the account's row. Without the database nobody gets in.
 */
export function countAttempt(
  { database, clock }: Pick<GatewayDeps, 'database' | 'clock'>,
  { account, network, looked }: PinAttempt,
): Promise<Counted> {
  const now = clock.now()
  return database.inTransaction(async (sql) => {
    const locked = await lockRow(sql, account.id)
    const [here] = await sql.query<{ n: number; first: Date | null }>(
      'select count(*)::int as n, min(at) as first from pin_attempts where user_id = $1 and network = $2 and at > $3',
      [account.id, network, new Date(now - PER_ADDRESS.windowMs)],
    )
    if (here!.n >= PER_ADDRESS.tries) return { waitMs: here!.first!.getTime() + PER_ADDRESS.windowMs - now }
    if (looked && (locked || (await lockIfSpent(sql, account, now)))) return 'locked'
    const id = Bun.randomUUIDv7()
    await sql.query('insert into pin_attempts (id, user_id, network, looked, at) values ($1, $2, $3, $4, $5)', [
      id,
      account.id,
      network,
      looked,
      new Date(now),
    ])
    return { id }
  })
}

/** The attempt was wrong: the last one of the hour locks the PIN. */
export function attemptFailed(
  { database, clock }: Pick<GatewayDeps, 'database' | 'clock'>,
  { account, network, looked }: PinAttempt,
): Promise<void> {
  return database.inTransaction(async (sql) => {
    const { id: actor, tenant } = account
    await recordAudit(sql, { action: 'login.failed', actor, tenant, detail: { network, kind: 'pin', looked } })
    if (!looked || (await lockRow(sql, account.id))) return
    await lockIfSpent(sql, account, clock.now())
  })
}

/** Whether it is locked; the row is this transaction's until it ends. */
async function lockRow(sql: Sql, userId: string): Promise<boolean> {
  await sql.query('insert into pin_accounts (user_id) values ($1) on conflict do nothing', [userId])
  const [row] = await sql.query<{ locked_at: Date | null }>(
    'select locked_at from pin_accounts where user_id = $1 for update',
    [userId],
  )
  return row!.locked_at !== null
}

async function lockIfSpent(sql: Sql, { id, tenant }: Pick<Account, 'id' | 'tenant'>, now: number): Promise<boolean> {
  const [all] = await sql.query<{ n: number }>(
    'select count(*)::int as n from pin_attempts where user_id = $1 and looked and at > $2',
    [id, new Date(now - IN_ALL.windowMs)],
  )
  if (all!.n < IN_ALL.tries) return false
  await sql.query('update pin_accounts set locked_at = $2 where user_id = $1', [id, new Date(now)])
  await recordAudit(sql, { action: 'pin.locked', actor: id, tenant, detail: {} })
  return true
}
