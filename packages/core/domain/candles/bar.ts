import { add, type Dec, div, gt, lt, mul, str, ZERO } from '../money/dec.ts'

/** Seconds of each resolution. */
export const RESOLUTIONS = { '1s': 1, '1m': 60, '5m': 300, '15m': 900, '1h': 3600, '4h': 14_400, '1d': 86_400 } as const
export type Resolution = keyof typeof RESOLUTIONS
export const isResolution = (text: string): text is Resolution => Object.hasOwn(RESOLUTIONS, text)
export const resolutionMs = (resolution: Resolution): number => RESOLUTIONS[resolution] * 1000

/** What happened in one interval. `revision` counts the changes of this bar; a filled bar has count 0 and revision 0. */
export interface Bar {
  /** ms, a multiple of the resolution */
  openTime: number
  open: Dec
  high: Dec
  low: Dec
  close: Dec
  volume: Dec
  /** sum of price x size */
  turnover: Dec
  count: number
  revision: number
  /** source time of what made open and close: a late print may come before or between them */
  firstTs: number
  lastTs: number
}

export const barStart = (ts: number, resolution: Resolution): number => ts - (ts % resolutionMs(resolution))

/** A bar of one price; size null: a quote, that trades nothing. */
export function newBar(openTime: number, ts: number, price: Dec, size: Dec | null): Bar {
  const volume = size ?? ZERO
  return {
    openTime,
    open: price,
    high: price,
    low: price,
    close: price,
    volume,
    turnover: mul(price, volume),
    count: 1,
    revision: 1,
    firstTs: ts,
    lastTs: ts,
  }
}

/** Takes a price in, late ones too. */
export function addTo(bar: Bar, ts: number, price: Dec, size: Dec | null): void {
  if (ts < bar.firstTs) {
    bar.open = price
    bar.firstTs = ts
  }
  if (ts >= bar.lastTs) {
    bar.close = price
    bar.lastTs = ts
  }
  if (gt(price, bar.high)) bar.high = price
  if (lt(price, bar.low)) bar.low = price
  if (size) {
    bar.volume = add(bar.volume, size)
    bar.turnover = add(bar.turnover, mul(price, size))
  }
  bar.count++
  bar.revision++
}

/** One bar of consecutive ones, earliest first; null of none. */
export function mergeBars(openTime: number, bars: readonly Bar[]): Bar | null {
  const [first, ...rest] = bars
  if (!first) return null
  const merged = { ...first, openTime }
  for (const bar of rest) {
    if (gt(bar.high, merged.high)) merged.high = bar.high
    if (lt(bar.low, merged.low)) merged.low = bar.low
    merged.close = bar.close
    merged.volume = add(merged.volume, bar.volume)
    merged.turnover = add(merged.turnover, bar.turnover)
    merged.count += bar.count
    merged.revision += bar.revision
    merged.lastTs = bar.lastTs
  }
  return merged
}

/** Nothing happened: the price stands where it was. */
export const filledBar = (openTime: number, close: Dec): Bar => ({
  openTime,
  open: close,
  high: close,
  low: close,
  close,
  volume: ZERO,
  turnover: ZERO,
  count: 0,
  revision: 0,
  firstTs: openTime,
  lastTs: openTime,
})

/** Volume-weighted average price, 12 places half-even; null without volume. */
export const vwap = (bar: Bar): string | null => (gt(bar.volume, ZERO) ? str(div(bar.turnover, bar.volume, 12)) : null)
