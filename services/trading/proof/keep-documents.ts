import type { AccountSpec } from '@assay/core/domain/engine/types'
import { documentsOf } from '@assay/core/domain/proof/documents'
import type { Row, Sql } from '@assay/core/ports/db/port'

/** Stores the documents of a new assessment; the names and hashes go into its header. */
export async function keepDocuments(db: Sql, spec: AccountSpec): Promise<Record<string, string>> {
  const { cited, texts } = documentsOf(spec)
  await db.query(
    `insert into trading.document (hash, text) select * from unnest($1::text[], $2::text[]) on conflict (hash) do nothing`,
    [[...texts.keys()], [...texts.values()]],
  )
  return cited
}

/** The documents that a header cites, by hash. */
export async function readDocuments(db: Sql, cited: Record<string, string>): Promise<Map<string, string>> {
  const rows = await db.query<Row & { hash: string; text: string }>(
    'select hash, text from trading.document where hash = any($1)',
    [[...new Set(Object.values(cited))]],
  )
  return new Map(rows.map(({ hash, text }) => [hash, text]))
}
