import type { Db } from '@assay/core/ports/db/port'

/** Columns that change by looking: when something was used, and what the market does to an account. */
const VOLATILE = ['last_used_at', 'seen_at', 'used_at', 'updated_at', 'tier']
/** Of the gateway: what counts and tells about requests, refused ones too. */
const TELLING = /usage|audit|event_seq|letters|counter|attempt|seen|known_addresses|checkpoint/
/** Of trading: what people made, and of what the engine keeps the part that no market moves. */
const MADE = ['purchase', 'assessment', 'tier', 'tier_version', 'calendar', 'idempotency']
const DECIDED = {
  account: 'select account, status from trading.account',
  orders: 'select account, order_id, status, quantity, price, filled from trading.orders',
  commands: `select account, count(*) as n from trading.journal where kind = 'command' group by account`,
}

/** All that a request could change, as one text that changes with it. */
export async function openRows(db: Db): Promise<() => Promise<string>> {
  const named = await db.query<{ name: string }>(
    `select tablename::text as name from pg_tables where schemaname = 'gateway' order by 1`,
  )
  const tables = [
    ...named.filter(({ name }) => !TELLING.test(name)).map(({ name }) => `select * from gateway.${name}`),
    ...MADE.map((name) => `select * from trading.${name}`),
    ...Object.values(DECIDED),
  ]
  const without = VOLATILE.map((column) => ` - '${column}'`).join('')
  const hashes = tables.map(
    (query) =>
      `(select md5(coalesce(string_agg(row, '' order by row), '')) from (select (to_jsonb(t)${without})::text as row from (${query}) t) r)`,
  )
  const sql = `select concat_ws(',', ${hashes.join(', ')}) as rows`
  return async () => (await db.query<{ rows: string }>(sql))[0]!.rows
}
/** Which parts differ, for people. */
export const changesBetween = (before: string, after: string): number[] => {
  const [was, is] = [before.split(','), after.split(',')]
  return is.flatMap((hash, at) => (hash === was[at] ? [] : [at]))
}
