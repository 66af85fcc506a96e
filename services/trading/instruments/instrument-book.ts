import { CATALOGUE } from '@assay/core/domain/instruments/catalogue'
import type { Instrument } from '@assay/core/domain/instruments/instrument'
import { withConversions } from '@assay/core/domain/instruments/resolve'
import type { Db } from '@assay/core/ports/db/port'
import type { PublishedInstrument } from '../deps.ts'
import { publishInstruments } from './publish-instruments.ts'

/** The feeds' symbols do not change while a process runs; a new one shows within this time. */
const TTL_MS = 10_000

export interface InstrumentBookDeps {
  db: Db
  /** monotonic ms */
  now: () => number
  /** documents of the symbols that market-data feeds */
  fed: () => Promise<readonly Instrument[]>
}

/**
 * The instruments in force: what market-data says of the symbols it feeds, over the catalogue. One loader at a
 * time; when market-data does not answer, what was known last stands, at first the catalogue alone.
 */
export function instrumentBook({ db, now, fed }: InstrumentBookDeps): () => Promise<readonly PublishedInstrument[]> {
  let held: { until: number; value: Promise<readonly PublishedInstrument[]> } | null = null
  let last: readonly Instrument[] = []
  const load = async (): Promise<readonly PublishedInstrument[]> => {
    last = await fed().catch(() => last)
    const bySymbol = new Map([...CATALOGUE, ...last].map((document) => [document.symbol, document]))
    return publishInstruments(db, withConversions([...bySymbol.values()]))
  }
  return () => {
    if (!held || held.until <= now()) {
      const value = load()
      held = { until: now() + TTL_MS, value }
      value.catch(() => {
        held = null
      })
    }
    return held.value
  }
}
