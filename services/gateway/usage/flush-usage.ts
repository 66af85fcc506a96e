import type { AuthDatabase } from '../auth/database.ts'
import type { Counted, UsageCount } from './count-usage.ts'

/** Rows of one statement. */
const AT_ONCE = 500
const COLUMNS = [
  'requests',
  'errors',
  'limited',
  'ms_total',
  'ms_max',
  'ms_5',
  'ms_25',
  'ms_100',
  'ms_500',
  'ms_2500',
  'ms_more',
] as const
const added = (column: string): string =>
  column === 'ms_max' ? 'ms_max = greatest(u.ms_max, excluded.ms_max)' : `${column} = u.${column} + excluded.${column}`
const WRITE = `insert into usage as u (day, tenant, user_id, key_id, route_class, ${COLUMNS.join(', ')})
  select * from unnest($1::date[], $2::text[], $3::text[], $4::text[], $5::text[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::float8[], $10::float8[],
    $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[])
  on conflict (day, tenant, user_id, key_id, route_class) do update set ${COLUMNS.map(added).join(', ')}`

/** Writes what was counted since the last call; what can't be written now is counted on. One at a time. */
export function createUsageFlush(usage: UsageCount, database: Pick<AuthDatabase, 'query'>): () => Promise<void> {
  let writing: Promise<void> | undefined

  async function write(): Promise<void> {
    const rows = usage.take()
    for (let at = 0; at < rows.length; at += AT_ONCE) {
      const part = merged(rows.slice(at, at + AT_ONCE))
      try {
        await database.query(WRITE, columnsOf(part))
      } catch (error) {
        usage.putBack(rows.slice(at))
        throw error
      }
    }
  }
  return () => (writing ??= write().finally(() => (writing = undefined)))
}

/** One statement may name a row once; what was put back stands beside what came since. */
function merged(rows: readonly Counted[]): Counted[] {
  const byName = new Map<string, Counted>()
  for (const row of rows) {
    const name = JSON.stringify([row.day, row.tenant, row.userId, row.keyId, row.routeClass])
    const known = byName.get(name)
    if (!known) {
      byName.set(name, { ...row, buckets: [...row.buckets] })
      continue
    }
    known.requests += row.requests
    known.errors += row.errors
    known.limited += row.limited
    known.msTotal += row.msTotal
    known.msMax = Math.max(known.msMax, row.msMax)
    for (const [at, count] of row.buckets.entries()) known.buckets[at]! += count
  }
  return [...byName.values()]
}

const columnsOf = (rows: readonly Counted[]) => [
  rows.map(({ day }) => day),
  rows.map(({ tenant }) => tenant),
  rows.map(({ userId }) => userId),
  rows.map(({ keyId }) => keyId),
  rows.map(({ routeClass }) => routeClass),
  rows.map(({ requests }) => requests),
  rows.map(({ errors }) => errors),
  rows.map(({ limited }) => limited),
  rows.map(({ msTotal }) => msTotal),
  rows.map(({ msMax }) => msMax),
  ...[0, 1, 2, 3, 4, 5].map((at) => rows.map(({ buckets }) => buckets[at]!)),
]
