import type { Db } from '@assay/core/ports/db/port'

/** Columns that change by looking: when something was used. */
const VOLATILE = ['last_used_at', 'seen_at', 'used_at', 'updated_at', 'tier']
/** Of the gateway: what counts and tells about requests, refused ones too, and what a letter's way leaves behind. */
const TELLING = /usage|audit|event_seq|letters|mail_tokens|counter|attempt|seen|known_addresses|checkpoint/
/** Of trading: what people made, and of what the engine keeps the part that no market moves. */
const MADE = ['purchase', 'assessment', 'tier', 'tier_version', 'calendar', 'idempotency']
const DECIDED = {
  account: 'select account, status from trading.account',
  orders: 'select account, order_id, status, quantity, price, filled from trading.orders',
  commands: `select account, count(*) as n from trading.journal where kind = 'command' group by account`,
}
export type Rows = Readonly<Record<string, string>>

/** All that a request could change, as a hash of each table. */
export async function openRows(db: Db): Promise<() => Promise<Rows>> {
  const named = await db.query<{ name: string }>(
    `select tablename::text as name from pg_tables where schemaname = 'gateway' order by 1`,
  )
  const tables = Object.entries({
    ...Object.fromEntries(
      named.filter(({ name }) => !TELLING.test(name)).map(({ name }) => [name, `select * from gateway.${name}`]),
    ),
    ...Object.fromEntries(MADE.map((name) => [name, `select * from trading.${name}`])),
    ...DECIDED,
  })
  const without = VOLATILE.map((column) => ` - '${column}'`).join('')
  const hashes = tables.map(
    ([name, query]) =>
      `(select md5(coalesce(string_agg(row, '' order by row), '')) from (select (to_jsonb(t)${without})::text as row from (${query}) t) r) as "${name}"`,
  )
  const sql = `select ${hashes.join(', ')}`
  return async () => (await db.query<Rows>(sql))[0]!
}
/** The tables that differ. */
export const changesBetween = (before: Rows, after: Rows): string[] =>
  Object.keys(after).filter((name) => after[name] !== before[name])
