import type { Instrument } from '@assay/core/domain/instruments/instrument'
import { canonical } from '@assay/core/domain/journal/canonical'
import { sha256Hex } from '@assay/core/domain/journal/hash'
import type { Db, Row } from '@assay/core/ports/db/port'
import type { PublishedInstrument } from '../deps.ts'

interface VersionRow extends Row {
  symbol: string
  version: number
  hash: string
}

/**
 * Puts documents in force and returns them as published, by symbol. A document that says something new is the
 * symbol's next version; the same words keep theirs, whatever version they came with.
 */
export async function publishInstruments(db: Db, documents: readonly Instrument[]): Promise<PublishedInstrument[]> {
  const newest = await db.query<VersionRow>(
    'select distinct on (symbol) symbol, version, hash from trading.instrument order by symbol, version desc',
  )
  const known = new Map(newest.map((row) => [row.symbol, row]))
  const published = documents.map((said) => {
    const row = known.get(said.symbol)
    if (!row) return publish(said, 1)
    const kept = publish(said, row.version)
    return kept.hash === row.hash ? kept : publish(said, row.version + 1)
  })
  await db.batch(
    published
      .filter(({ document, hash }) => known.get(document.symbol)?.hash !== hash)
      .map(({ document, hash }) => ({
        sql: `insert into trading.instrument (symbol, version, hash, document) values ($1, $2, $3, $4::jsonb) on conflict do nothing`,
        params: [document.symbol, document.version, hash, JSON.stringify(document)],
      })),
  )
  return published.sort((a, b) => (a.document.symbol < b.document.symbol ? -1 : 1))
}

function publish(said: Instrument, version: number): PublishedInstrument {
  const document = { ...said, version }
  return { document, hash: sha256Hex(canonical(document)) }
}
