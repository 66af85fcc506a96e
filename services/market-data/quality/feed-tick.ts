import type { LevelsTick, QuoteTick, Side, StateTick, TradeTick } from '@assay/core/domain/market/event'

/** A recorded candle, before quotes are made from it. */
export interface CandleTick {
  kind: 'candle'
  symbol: string
  venue: string
  ts: number
  pos: number
  open: string
  high: string
  low: string
  close: string
}
/** What a feed yields. */
export type FeedTick = QuoteTick | TradeTick | LevelsTick | StateTick | CandleTick
export type { Side }
