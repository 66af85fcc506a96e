import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import type { Market } from './market.ts'
import { type SymbolResource, symbolResource } from './resources.ts'

/** By symbol, ascending; the cursor is the last symbol of the page before. */
export function listSymbols(
  market: Market,
  { cursor, limit, venue }: PageQuery & { venue?: string },
): Page<SymbolResource> {
  const rows = market.listed
    .filter((s) => (venue === undefined || s.venue === venue) && (cursor === undefined || s.instrument.symbol > cursor))
    .toSorted((a, b) => (a.instrument.symbol < b.instrument.symbol ? -1 : 1))
  return toPage(
    rows,
    limit,
    (s) => symbolResource(market, s),
    (s) => s.instrument.symbol,
  )
}
