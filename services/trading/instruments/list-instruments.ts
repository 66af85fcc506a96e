import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import type { Verb } from '../deps.ts'
import { type InstrumentResource, resourceOf } from './instrument-resource.ts'

export interface InstrumentFilter {
  kind?: string | undefined
  quote?: string | undefined
}

/** Instruments in force, by symbol. */
export async function listInstruments({
  input,
  deps,
}: Verb<PageQuery & InstrumentFilter>): Promise<Page<InstrumentResource>> {
  const all = (await deps.instruments()).filter(
    ({ document }) =>
      document.symbol > (input.cursor ?? '') &&
      (input.kind === undefined || document.kind === input.kind) &&
      (input.quote === undefined || document.quote === input.quote),
  )
  return toPage(all.slice(0, input.limit + 1), input.limit, resourceOf, ({ document }) => document.symbol)
}
