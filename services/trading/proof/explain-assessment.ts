import { AssayError } from '@assay/core/contracts/errors'
import type { JournalRecord } from '@assay/core/domain/engine/types'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { type LogSource, segmentsOf } from '@assay/core/domain/proof/collect'
import { compileHeader } from '@assay/core/domain/proof/documents'
import { type Explained, explain, type Place, parsePlace } from '@assay/core/domain/proof/explain'
import { readArchive } from '@assay/core/domain/proof/read-archive'
import { NO_HEAD } from '@assay/core/domain/proof/segment'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { readDocuments } from './keep-documents.ts'
import { logSource } from './log-source.ts'
import { type CallerProofDeps, keptProof, segmentBlob } from './make-proof.ts'
import { readChain } from './read-chain.ts'

/** Marks, equity line by line and the floors' history at a place; the verdict's when none is said. */
export async function explainAssessment({
  ctx,
  input,
  deps,
}: Omit<Verb<{ id: string; at?: string | undefined }>, 'deps'> & { deps: CallerProofDeps }): Promise<Explained> {
  const { trading } = deps
  await openAssessment({ ctx, input, deps: trading }, 'trading:read')
  const { records } = await readChain(trading.db, input.id)
  const header = records[0]
  if (header?.kind !== 'header') throw new AssayError('not_found', 'The assessment has no journal yet.')
  const place = placeOf(input.at, records)
  const compiled = compileHeader(header, await readDocuments(trading.db, header.docs))
  const told = { compiled, assessment: input.id, records }
  // what is kept shows all that decided, and less than the log holds
  const kept = await keptProof(deps, input.id)
  if (kept) {
    const { log } = await readArchive(kept, (head) => deps.blobs.get(segmentBlob(head)))
    const events = log.events().map(({ event }) => event)
    return explain({ ...told, segments: log.segments }, place, events)
  }
  const log = logSource(trading.marketlog, header.group)
  const newest = (await trading.marketlog.end(header.group))?.mseq ?? 0
  const heads = await log.segments(Math.max(1, header.mseq), newest)
  const prev = heads[0]?.prev ?? NO_HEAD
  const to = 'aseq' in place ? Math.min(records[place.aseq]!.mseq + 1, newest) : newest
  const segments = segmentsOf(heads, prev === NO_HEAD ? null : prev)
  return explain({ ...told, segments }, place, eventsFrom(log, header.mseq, to))
}

function placeOf(at: string | undefined, records: readonly JournalRecord[]): Place {
  try {
    const place = parsePlace(at, records)
    const [header] = records
    if ('aseq' in place && place.aseq >= records.length) throw new RangeError(`there is no record ${place.aseq}`)
    if (('mseq' in place && place.mseq < header!.mseq) || ('mts' in place && place.mts < header!.mts)) {
      throw new RangeError(`the journal begins at m${header!.mseq}`)
    }
    return place
  } catch (error) {
    throw new AssayError('validation_failed', (error as Error).message, { field: 'at', cause: error })
  }
}

/** What stood when the assessment was created, then every event. */
async function* eventsFrom(log: LogSource, created: number, to: number): AsyncGenerator<MarketEvent> {
  const carry = await log.carry(Math.max(1, created))
  yield* carry.events
  for await (const batch of log.read(carry.from, to)) yield* batch
}
