import { CATALOGUE } from '@assay/core/domain/instruments/catalogue'
import type { Instrument } from '@assay/core/domain/instruments/instrument'
import { withConversions } from '@assay/core/domain/instruments/resolve'
import type { CacheOutcome } from '@assay/core/kernel/cached'
import type { Db } from '@assay/core/ports/db/port'
import type { PublishedInstrument } from '../deps.ts'
import { publishInstruments } from './publish-instruments.ts'

/** The fed symbols hardly ever change while a process runs. */
const KEEP_MS = 600_000
/** Where market-data did not answer it is asked again after this. */
const RETRY_MS = 5_000

export interface InstrumentBookDeps {
  db: Db
  /** monotonic ms */
  now: () => number
  /** documents of the symbols that market-data feeds */
  fed: () => Promise<readonly Instrument[]>
  asked?: (outcome: CacheOutcome) => void
}

/**
 * The instruments in force: what market-data says of the symbols it feeds, over the catalogue. One load at a time;
 * when market-data does not answer, what it said last stands, at first the catalogue alone.
 */
export function instrumentBook({
  db,
  now,
  fed,
  asked,
}: InstrumentBookDeps): () => Promise<readonly PublishedInstrument[]> {
  let held: { until: number; value: Promise<readonly PublishedInstrument[]> } = {
    until: -1,
    value: Promise.resolve([]),
  }
  let said: readonly Instrument[] = []

  async function load(): Promise<readonly PublishedInstrument[]> {
    const news = await fed().catch(() => null)
    if (news) said = news
    else held.until = now() + RETRY_MS
    const bySymbol = new Map([...CATALOGUE, ...said].map((document) => [document.symbol, document]))
    return publishInstruments(db, withConversions([...bySymbol.values()]))
  }
  return () => {
    asked?.(held.until <= now() ? 'miss' : 'hit')
    if (held.until <= now()) {
      held = { until: now() + KEEP_MS, value: load() }
      held.value.catch(() => {
        held.until = now()
      })
    }
    return held.value
  }
}
