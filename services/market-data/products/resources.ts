import { InstrumentDocument } from '@assay/core/contracts/wire/instrument'
import { type Bar, vwap } from '@assay/core/domain/candles/bar'
import { type Dec, max, min, str, sub, sum } from '@assay/core/domain/money/dec'
import { z } from 'zod'
import type { MarketSymbol } from '../symbols/market-symbol.ts'
import { type Market, midOf, type Trade } from './market.ts'

const State = z.enum(['open', 'closed', 'halted', 'unknown', 'settled'])
const Synthetic = z.enum(['trades', 'candles']).nullable()
const Time = z.iso.datetime()
const iso = (ms: number): string => new Date(ms).toISOString()

export const SymbolResource = z.object({
  symbol: z.string(),
  venue: z.string(),
  state: State,
  price_tick: z.string(),
  quantity_step: z.string(),
  candle_basis: z.enum(['trades', 'bid', 'mid']),
  quoted_at: Time.nullable(),
  /** market time since its newest event */
  age_ms: z.number().int().nullable(),
  instrument: InstrumentDocument,
})
export type SymbolResource = z.infer<typeof SymbolResource>

export const TickerResource = z.object({
  symbol: z.string(),
  venue: z.string(),
  state: State,
  bid: z.string().nullable(),
  ask: z.string().nullable(),
  bid_size: z.string().nullable(),
  ask_size: z.string().nullable(),
  mid: z.string().nullable(),
  synthetic: Synthetic,
  last: z.string().nullable(),
  last_size: z.string().nullable(),
  last_side: z.enum(['buy', 'sell']).nullable(),
  open_24h: z.string().nullable(),
  high_24h: z.string().nullable(),
  low_24h: z.string().nullable(),
  change_24h: z.string().nullable(),
  volume_24h: z.string(),
  quoted_at: Time.nullable(),
  age_ms: z.number().int().nullable(),
  market_time: Time.nullable(),
  mseq: z.number().int(),
})
export type TickerResource = z.infer<typeof TickerResource>

export const CandleResource = z.object({
  open_time: Time,
  open: z.string(),
  high: z.string(),
  low: z.string(),
  close: z.string(),
  volume: z.string(),
  vwap: z.string().nullable(),
  count: z.number().int(),
  revision: z.number().int(),
})
export type CandleResource = z.infer<typeof CandleResource>

export const TradeResource = z.object({
  mseq: z.number().int(),
  time: Time,
  price: z.string(),
  size: z.string(),
  side: z.enum(['buy', 'sell']),
  venue: z.string(),
  synthetic: Synthetic,
})
export type TradeResource = z.infer<typeof TradeResource>

const DAY_MS = 86_400_000
const highest = (bars: readonly Bar[]): Dec | null => (bars.length ? bars.map((b) => b.high).reduce(max) : null)
const lowest = (bars: readonly Bar[]): Dec | null => (bars.length ? bars.map((b) => b.low).reduce(min) : null)
const orNull = (d: Dec | null | undefined): string | null => (d ? str(d) : null)

export function symbolResource(market: Market, { instrument, venue, basis }: MarketSymbol): SymbolResource {
  const seen = market.view.symbol(instrument.symbol)
  return {
    symbol: instrument.symbol,
    venue,
    state: seen?.status ?? 'unknown',
    price_tick: instrument.price_tick,
    quantity_step: instrument.quantity_step,
    candle_basis: basis,
    quoted_at: seen?.quote ? iso(seen.quote.ts) : null,
    age_ms: seen ? market.view.mts - seen.lastMts : null,
    instrument,
  }
}

export function tickerResource(market: Market, { instrument, venue, basis }: MarketSymbol): TickerResource {
  const { symbol } = instrument
  const { mts, mseq } = market.view
  const products = market.of(symbol)!
  const seen = market.view.symbol(symbol)
  const quote = seen?.quote ?? null
  const last = products.trades.at(-1)
  const day = products.candles[basis].range('1m', mts - DAY_MS, mts + 1, 1500)
  const traded = products.candles.trades.range('1m', mts - DAY_MS, mts + 1, 1500)
  const [first, newest] = [day[0], day.at(-1)]
  return {
    symbol,
    venue,
    state: seen?.status ?? 'unknown',
    bid: orNull(quote?.bid.price),
    ask: orNull(quote?.ask.price),
    bid_size: orNull(quote?.bid.size),
    ask_size: orNull(quote?.ask.size),
    mid: quote ? str(midOf(quote.bid.price, quote.ask.price)) : null,
    synthetic: (quote?.synthetic ?? null) as TickerResource['synthetic'],
    last: last?.price ?? null,
    last_size: last?.size ?? null,
    last_side: last?.side ?? null,
    open_24h: orNull(first?.open),
    high_24h: orNull(highest(day)),
    low_24h: orNull(lowest(day)),
    change_24h: first && newest ? str(sub(newest.close, first.open)) : null,
    volume_24h: str(sum(traded.map((b) => b.volume))),
    quoted_at: quote ? iso(quote.ts) : null,
    age_ms: seen ? mts - seen.lastMts : null,
    market_time: mts > 0 ? iso(mts) : null,
    mseq,
  }
}

export const candleResource = (bar: Bar): CandleResource => ({
  open_time: iso(bar.openTime),
  open: str(bar.open),
  high: str(bar.high),
  low: str(bar.low),
  close: str(bar.close),
  volume: str(bar.volume),
  vwap: vwap(bar),
  count: bar.count,
  revision: bar.revision,
})
export const tradeResource = (trade: Trade): TradeResource => ({
  mseq: trade.mseq,
  time: iso(trade.ts),
  price: trade.price,
  size: trade.size,
  side: trade.side,
  venue: trade.venue,
  synthetic: trade.synthetic ?? null,
})
