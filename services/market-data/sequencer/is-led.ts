import type { Db } from '@assay/core/ports/db/port'

/** Some process leads the group now. `db` is narrowed to the schema market_data. */
export async function isLed(db: Db, group: string): Promise<boolean> {
  const rows = await db.query('select 1 from leader where market_group = $1 and expires_at > clock_timestamp()', [group])
  return rows.length > 0
}
