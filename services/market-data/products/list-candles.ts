import { AssayError } from '@assay/core/contracts/errors'
import { numberCursor, type Page, type PageQuery } from '@assay/core/contracts/wire/page'
import { type Resolution, resolutionMs } from '@assay/core/domain/candles/bar'
import type { Basis } from '../symbols/market-symbol.ts'
import { findSymbol } from './find-symbol.ts'
import type { Market } from './market.ts'
import { type CandleResource, candleResource } from './resources.ts'

export interface CandlesQuery extends PageQuery {
  resolution: Resolution
  basis?: Basis
  /** ms; the newest `limit` candles unless told */
  from?: number
  /** ms, exclusive; market time unless told */
  to?: number
}
export interface CandlePage extends Page<CandleResource> {
  symbol: string
  resolution: Resolution
  basis: Basis
}

/** Ascending, gap-free; the cursor is the open time at which the next page begins. */
export function listCandles(
  market: Market,
  text: string,
  { resolution, basis, from, to, cursor, limit }: CandlesQuery,
): CandlePage {
  const { instrument, basis: usual } = findSymbol(market, text)
  const step = resolutionMs(resolution)
  // the candle that runs is shown as it stands, none behind it
  const now = market.view.mts + 1
  const end = Math.min(to ?? now, now)
  const start = numberCursor(cursor) ?? from ?? Math.floor((end - 1) / step) * step - (limit - 1) * step
  if (from !== undefined && to !== undefined && from >= to)
    throw new AssayError('validation_failed', 'from must be before to', { field: 'from' })
  const used = basis ?? usual
  const bars = market.of(instrument.symbol)!.candles[used].range(resolution, start, end, limit + 1)
  return {
    symbol: instrument.symbol,
    resolution,
    basis: used,
    items: bars.slice(0, limit).map(candleResource),
    next: bars.length > limit ? String(bars[limit]!.openTime) : null,
  }
}
