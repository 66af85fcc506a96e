import type { JournalRecord } from '@assay/core/domain/engine/types'
import type { Receipt } from '@assay/core/domain/journal/receipt'
import type { RecordEnvelope } from '@assay/core/domain/proof/build'
import type { Row, Sql } from '@assay/core/ports/db/port'

interface ChainRow extends Row {
  record: string
  hash: string
  wall: Date
  request_id: string | null
  receipt: Receipt | null
}
export interface Chain {
  records: JournalRecord[]
  envelope: RecordEnvelope[]
}
const PAGE = 5000

/** A whole journal with what stands beside it; empty when the account has none. */
export async function readChain(db: Sql, assessment: string): Promise<Chain> {
  const chain: Chain = { records: [], envelope: [] }
  for (;;) {
    const rows = await db.query<ChainRow>(
      `select record, hash, wall, request_id, receipt from trading.journal
       where account = $1 and aseq >= $2 order by aseq limit ${PAGE}`,
      [assessment, chain.records.length],
    )
    for (const row of rows) {
      chain.records.push(JSON.parse(row.record) as JournalRecord)
      chain.envelope.push({
        hash: row.hash,
        at: row.wall.getTime(),
        request: row.request_id,
        receipt: row.receipt,
      })
    }
    if (rows.length < PAGE) return chain
  }
}
