import { cmp, dec, isDec, sign } from '@assay/core/domain/money/dec'
import type { FeedTick } from './feed-tick.ts'

/** Why an event does not pass. */
export type Reason = 'schema' | 'zero' | 'crossed' | 'sequence' | 'duplicate' | 'out_of_order' | 'stale' | 'future'
export interface Fault {
  reason: Reason
  detail: string
}
const fault = (reason: Reason, detail: string): Fault => ({ reason, detail })

const SYMBOL = /^(?:[A-Z0-9]{2,15}\/[A-Z0-9]{2,15}(?::[A-Z0-9]{2,15})?|POLY:[\w-]+:[\w-]+|KALSHI:[\w-]+)$/
const MOST_LEVELS = 20
const positive = (text: string): boolean => sign(dec(text)) > 0

/** What is wrong with an event by itself, whatever came before it; null: nothing. Bid = ask is not crossed. */
export function faultOf(tick: FeedTick): Fault | null {
  if (!SYMBOL.test(tick.symbol)) return fault('schema', `symbol ${tick.symbol}`)
  if (!Number.isSafeInteger(tick.ts) || tick.ts < 0) return fault('schema', `ts ${tick.ts}`)
  if (!Number.isSafeInteger(tick.pos)) return fault('schema', `pos ${tick.pos}`)
  switch (tick.kind) {
    case 'quote':
      return (
        numbers({ bid: tick.bid, ask: tick.ask, bid_size: tick.bid_size, ask_size: tick.ask_size }) ??
        crossed(tick.bid, tick.ask)
      )
    case 'trade':
      return numbers({ price: tick.price, size: tick.size })
    case 'candle':
      return numbers({ open: tick.open, high: tick.high, low: tick.low, close: tick.close }) ?? candle(tick)
    case 'levels':
      return (
        book(tick.bids, -1) ??
        book(tick.asks, 1) ??
        (tick.bids[0] && tick.asks[0] ? crossed(tick.bids[0][0], tick.asks[0][0]) : null)
      )
    default:
      return null
  }
}
function numbers(fields: Record<string, string | undefined>): Fault | null {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (!isDec(value)) return fault('schema', `${name} ${value}`)
    if (!positive(value)) return fault('zero', `${name} ${value}`)
  }
  return null
}
const crossed = (bid: string, ask: string): Fault | null =>
  cmp(dec(bid), dec(ask)) > 0 ? fault('crossed', `bid ${bid} above ask ${ask}`) : null
function candle({ open, high, low, close }: Extract<FeedTick, { kind: 'candle' }>): Fault | null {
  for (const price of [open, close]) {
    if (cmp(dec(price), dec(high)) > 0 || cmp(dec(price), dec(low)) < 0)
      return fault('schema', `${price} outside ${low} to ${high}`)
  }
  return null
}
/** direction: 1 when prices must rise from the best one on, -1 when they must fall. */
function book(levels: readonly (readonly [string, string])[], direction: 1 | -1): Fault | null {
  if (levels.length > MOST_LEVELS) return fault('schema', `${levels.length} levels`)
  for (const [i, [price, size]] of levels.entries()) {
    const bad = numbers({ price, size })
    if (bad) return bad
    if (i > 0 && cmp(dec(price), dec(levels[i - 1]![0])) !== direction)
      return fault('schema', `level ${price} out of order`)
  }
  return null
}
