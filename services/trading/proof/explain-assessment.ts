import { AssayError } from '@assay/core/contracts/errors'
import type { JournalRecord } from '@assay/core/domain/engine/types'
import type { MarketEvent } from '@assay/core/domain/market/event'
import type { LogSource } from '@assay/core/domain/proof/collect'
import { segmentsOf } from '@assay/core/domain/proof/collect'
import { compileHeader } from '@assay/core/domain/proof/documents'
import { type Explained, explain, type Place, parsePlace } from '@assay/core/domain/proof/explain'
import { NO_HEAD } from '@assay/core/domain/proof/segment'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { readDocuments } from './keep-documents.ts'
import { logSource } from './log-source.ts'
import { readChain } from './read-chain.ts'

/** Marks, equity line by line and the floors' history at a place; the verdict's when none is said. */
export async function explainAssessment(verb: Verb<{ id: string; at?: string | undefined }>): Promise<Explained> {
  await openAssessment(verb, 'trading:read')
  const { input, deps } = verb
  const { records } = await readChain(deps.db, input.id)
  const header = records[0]
  if (header?.kind !== 'header') throw new AssayError('not_found', 'The assessment has no journal yet.')
  const place = placeOf(input.at, records)
  const compiled = compileHeader(header, await readDocuments(deps.db, header.docs))
  const log = logSource(deps.marketlog, header.group)
  const newest = (await deps.marketlog.end(header.group))?.mseq ?? 0
  const heads = await log.segments(Math.max(1, header.mseq), newest)
  const prev = heads[0]?.prev ?? NO_HEAD
  const story = { compiled, assessment: input.id, records, segments: segmentsOf(heads, prev === NO_HEAD ? null : prev) }
  return explain(
    story,
    place,
    eventsFrom(log, header.mseq, 'aseq' in place ? records[place.aseq]!.mseq + 1 : newest, newest),
  )
}

function placeOf(at: string | undefined, records: readonly JournalRecord[]): Place {
  try {
    const place = parsePlace(at, records)
    if ('aseq' in place && place.aseq >= records.length) throw new RangeError(`there is no record ${place.aseq}`)
    return place
  } catch (error) {
    throw new AssayError('validation_failed', (error as Error).message, { field: 'at', cause: error })
  }
}

/** What stood when the assessment was created, then every event. */
async function* eventsFrom(log: LogSource, created: number, to: number, newest: number): AsyncGenerator<MarketEvent> {
  const carry = await log.carry(Math.max(1, created))
  yield* carry.events
  for await (const batch of log.read(carry.from, Math.min(to, newest))) yield* batch
}
