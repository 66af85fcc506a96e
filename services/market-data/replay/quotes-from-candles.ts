import type { QuoteTick } from '@assay/core/domain/market/event'
import { add, cmp, dec, mul, str } from '@assay/core/domain/money/dec'
import type { CandleTick } from '../quality/feed-tick.ts'

export interface CandleShape {
  priceTick: string
  /** spread in price ticks */
  spreadTicks: string
  candleMs: number
  /** whether the recorded time is the candle's start or its end */
  candleTime: 'open' | 'close'
}

/**
 * Four quotes of a candle: open, low, high, close when close >= open, else open, high, low, close; bid is the recorded
 * price, ask one spread above it. They stand at the start, at thirds, and in the last millisecond of the candle.
 */
export function quotesFromCandles({
  priceTick,
  spreadTicks,
  candleMs,
  candleTime,
}: CandleShape): (candle: CandleTick) => QuoteTick[] {
  const spread = mul(dec(priceTick), dec(spreadTicks))
  const third = Math.floor(candleMs / 3)
  return ({ symbol, venue, ts, pos, open, high, low, close }) => {
    const start = candleTime === 'open' ? ts : ts - candleMs
    const path = cmp(dec(close), dec(open)) >= 0 ? [open, low, high, close] : [open, high, low, close]
    const times = [start, start + third, start + 2 * third, start + candleMs - 1]
    return path.map((price, i) => ({
      kind: 'quote',
      symbol,
      venue,
      ts: times[i]!,
      pos,
      bid: price,
      ask: str(add(dec(price), spread)),
      synthetic: 'candles',
    }))
  }
}
