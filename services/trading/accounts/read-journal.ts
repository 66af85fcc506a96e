import type { JournalItem } from '@assay/core/contracts/wire/account'
import { numberCursor, type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import type { Row } from '@assay/core/ports/db/port'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { iso } from '../time.ts'

interface JournalRow extends Row {
  aseq: string
  kind: string
  record: string
  hash: string
  wall: Date
  request_id: string | null
  receipt: Record<string, unknown> | null
}

/** The chain in order from its header on; the cursor is the aseq of the last record seen. */
export async function readJournal(
  verb: Verb<PageQuery & { id: string; kind?: string | undefined }>,
): Promise<Page<JournalItem>> {
  await openAssessment(verb, 'trading:read')
  const { input, deps } = verb
  const rows = await deps.db.query<JournalRow>(
    `select aseq, kind, record, hash, wall, request_id, receipt from trading.journal
     where account = $1 and aseq > $2 and ($3::text is null or kind = $3) order by aseq limit $4`,
    [input.id, numberCursor(input.cursor) ?? -1, input.kind ?? null, input.limit + 1],
  )
  return toPage(rows, input.limit, itemOf, (row) => row.aseq)
}

const itemOf = (row: JournalRow): JournalItem => ({
  aseq: Number(row.aseq),
  kind: row.kind,
  hash: row.hash,
  record: JSON.parse(row.record) as Record<string, unknown>,
  envelope: { at: iso(row.wall), request_id: row.request_id, receipt: row.receipt },
})
