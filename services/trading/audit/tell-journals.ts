import { recordAudit } from '@assay/core/kernel/audit'
import type { Db, Row } from '@assay/core/ports/db/port'

interface Grown extends Row {
  account: string
  tenant: string
  /** the newest record, and its hash: all before it hang on that */
  aseq: string
  hash: string
}
/** Journals of one entry of the audit log. */
const JOURNALS = 100

/**
 * Tells the audit log how far journals have grown: every order is a record of one, which its newest hash vouches for.
 * Any number of processes may do it at once; each step is told once. False when there may be more.
 */
export async function tellJournals(db: Db): Promise<boolean> {
  const grown = await db.query<Grown>(
    `select a.account, a.tenant, a.aseq - 1 as aseq, a.hash
       from trading.account a left join trading.audited d on d.account = a.account
      where a.aseq - 1 > coalesce(d.aseq, -1) order by a.tenant, a.account limit ${JOURNALS}`,
  )
  if (grown.length === 0) return true
  await db.tx(async (sql) => {
    const told = await sql.query<{ account: string }>(
      `insert into trading.audited as d (account, aseq) select unnest($1::text[]), unnest($2::bigint[])
       on conflict (account) do update set aseq = excluded.aseq where d.aseq < excluded.aseq returning account`,
      [grown.map(({ account }) => account), grown.map(({ aseq }) => aseq)],
    )
    const moved = new Set(told.map(({ account }) => account))
    for (const tenant of new Set(grown.map((row) => row.tenant))) {
      const journals = grown
        .filter((row) => row.tenant === tenant && moved.has(row.account))
        .map(({ account, aseq, hash }) => ({ account, aseq: Number(aseq), hash }))
      if (journals.length === 0) continue
      await recordAudit(sql, { action: 'journals.extended', actor: 'trading', tenant, detail: { journals } })
    }
  })
  return grown.length < JOURNALS
}
