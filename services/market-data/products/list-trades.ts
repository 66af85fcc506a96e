import { numberCursor, type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import { findSymbol } from './find-symbol.ts'
import type { Market } from './market.ts'
import { type TradeResource, tradeResource } from './resources.ts'

/** Newest first; the cursor is the last mseq of the page before. */
export function listTrades(market: Market, symbol: string, { cursor, limit }: PageQuery): Page<TradeResource> {
  const { instrument } = findSymbol(market, symbol)
  const before = numberCursor(cursor) ?? Number.POSITIVE_INFINITY
  const { trades } = market.of(instrument.symbol)!
  const end = trades.findLastIndex((t) => t.mseq < before) + 1
  return toPage(trades.slice(Math.max(0, end - limit - 1), end).reverse(), limit, tradeResource, (t) => String(t.mseq))
}
