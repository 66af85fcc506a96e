import { DAY_MS, type Topic } from '../contracts/topics/topic.ts'
import type { Db, Sql } from '../ports/db/port.ts'

/**
 * Runs a consumer's SQL effect once per event, whatever is delivered again: the inbox row and the effect commit
 * together. True when it ran now.
 */
export function onceInSql(
  db: Db,
  event: { group: string; id: string },
  effect: (sql: Sql) => Promise<void>,
): Promise<boolean> {
  return db.tx(async (sql) => {
    const rows = await sql.query(
      'insert into bus.inbox ("group", id) values ($1, $2) on conflict do nothing returning id',
      [event.group, event.id],
    )
    if (rows.length === 0) return false
    await effect(sql)
    return true
  })
}

/** Rows outlive every topic by this, so that a replay from its beginning meets them. */
const MARGIN_DAYS = 10

/** Deletes inbox rows of events that no topic holds any longer. */
export async function expireInbox(db: Db, topics: readonly Topic[]): Promise<void> {
  const days = Math.max(0, ...topics.map(({ retentionMs }) => retentionMs / DAY_MS)) + MARGIN_DAYS
  await db.as('bus').query('delete from inbox where at < now() - make_interval(days => $1)', [days])
}
