import type { Dec } from '../money/dec.ts'
import {
  addTo,
  type Bar,
  barStart,
  filledBar,
  mergeBars,
  newBar,
  RESOLUTIONS,
  type Resolution,
  resolutionMs,
} from './bar.ts'

/** What is kept, finest first; every other resolution is made of the next finer one that is. */
const KEPT: readonly { resolution: Resolution; bars: number }[] = [
  { resolution: '1s', bars: 3600 },
  { resolution: '1m', bars: 2 * 1440 },
  { resolution: '1h', bars: 24 * 92 },
]
const sourceOf = (resolution: Resolution): Resolution =>
  KEPT.findLast((kept) => RESOLUTIONS[kept.resolution] <= RESOLUTIONS[resolution])!.resolution

/** The candles of one symbol on one basis. Bars are stored where something happened; gaps are filled when they are read. */
export class CandleSeries {
  private readonly kept = new Map(KEPT.map(({ resolution, bars }) => [resolution, new BarRing(resolution, bars)]))

  add(ts: number, price: Dec, size: Dec | null): void {
    for (const ring of this.kept.values()) ring.add(ts, price, size)
  }

  /** Bars with openTime in [from, to), gap-free from the first one that is known, at most `limit`. */
  range(resolution: Resolution, from: number, to: number, limit: number): Bar[] {
    const step = resolutionMs(resolution)
    const ring = this.kept.get(sourceOf(resolution))!
    const start = Math.ceil(from / step) * step
    const stored = grouped(ring.between(start, to), resolution)
    let last = stored[0]?.openTime === start ? null : ring.closeBefore(start)
    const out: Bar[] = []
    let next = 0
    for (
      let at = last || stored.length === 0 ? start : stored[0]!.openTime;
      at < to && out.length < limit;
      at += step
    ) {
      const bar = stored[next]
      if (bar?.openTime === at) {
        out.push(bar)
        last = bar.close
        next++
      } else if (last) out.push(filledBar(at, last))
      else break
    }
    return out
  }

  /** The bar that holds a time, as it stands; null where nothing happened in it. */
  at(resolution: Resolution, ts: number): Bar | null {
    const start = barStart(ts, resolution)
    return mergeBars(start, this.kept.get(sourceOf(resolution))!.between(start, start + resolutionMs(resolution)))
  }
}

function grouped(bars: readonly Bar[], resolution: Resolution): Bar[] {
  const out: Bar[] = []
  for (let at = 0; at < bars.length; ) {
    const start = barStart(bars[at]!.openTime, resolution)
    let end = at + 1
    while (end < bars.length && barStart(bars[end]!.openTime, resolution) === start) end++
    out.push(mergeBars(start, bars.slice(at, end))!)
    at = end
  }
  return out
}

/** The newest bars of one resolution, by time. */
class BarRing {
  private bars: Bar[] = []

  constructor(
    private readonly resolution: Resolution,
    private readonly most: number,
  ) {}

  add(ts: number, price: Dec, size: Dec | null): void {
    const start = barStart(ts, this.resolution)
    const newest = this.bars.at(-1)
    if (newest?.openTime === start) {
      addTo(newest, ts, price, size)
      return
    }
    if (!newest || start > newest.openTime) {
      this.bars.push(newBar(start, ts, price, size))
      if (this.bars.length > this.most * 1.25) this.bars = this.bars.slice(-this.most)
      return
    }
    const at = this.indexAt(start)
    const late = this.bars[at]
    if (late?.openTime === start) addTo(late, ts, price, size)
    // older than what is kept: nobody can read it
    else if (at > 0) this.bars.splice(at, 0, newBar(start, ts, price, size))
  }

  between(from: number, to: number): Bar[] {
    return this.bars.slice(this.indexAt(from), this.indexAt(to))
  }
  closeBefore(ts: number): Dec | null {
    return this.bars[this.indexAt(ts) - 1]?.close ?? null
  }
  /** Index of the first bar at or after a time. */
  private indexAt(ts: number): number {
    let low = 0
    let high = this.bars.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.bars[middle]!.openTime < ts) low = middle + 1
      else high = middle
    }
    return low
  }
}
