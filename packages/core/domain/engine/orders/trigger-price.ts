/** The prices that stops and limits of an account are held against: its own touch, marked up, or the last trade. */

import type { Side } from '../../market/event.ts'
import { markedUp } from '../../matching/depth.ts'
import { type Dec, gte, lte } from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import type { MarketView } from '../view.ts'

/** The touch that an order of this side takes: buys the ask, sells the bid; null: no quote yet. */
export function touchFor(side: Side, market: Market, view: MarketView): Dec | null {
  const quote = view.symbol(market.symbol)?.quote
  if (!quote) return null
  return side === 'buy' ? markedUp(quote.ask.price, 'ask', market) : markedUp(quote.bid.price, 'bid', market)
}
/** What a stop of this side is held against: the touch, or the newest trade where the instrument says so. */
export const triggerPrice = (side: Side, market: Market, view: MarketView): Dec | null =>
  market.doc.trigger_price === 'last' ? (view.symbol(market.symbol)?.last ?? null) : touchFor(side, market, view)

/** Buys trigger at the stop or above it, sells at it or below. */
export const isReached = (side: Side, price: Dec, stop: Dec): boolean =>
  side === 'buy' ? gte(price, stop) : lte(price, stop)
