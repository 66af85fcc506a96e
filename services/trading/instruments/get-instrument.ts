import { AssayError } from '@assay/core/contracts/errors'
import { fromPathSymbol } from '@assay/core/domain/instruments/symbol'
import type { Verb } from '../deps.ts'
import { type InstrumentResource, resourceOf } from './instrument-resource.ts'

/** The newest version of one instrument; `BTC-USD` is BTC/USD. */
export async function getInstrument({ input, deps }: Verb<{ symbol: string }>): Promise<InstrumentResource> {
  const symbol = fromPathSymbol(input.symbol)
  const found = (await deps.instruments()).find(({ document }) => document.symbol === symbol)
  if (!found) throw new AssayError('not_found', `No instrument ${symbol}.`)
  return resourceOf(found)
}
