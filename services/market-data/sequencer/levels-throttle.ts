import type { FeedTick } from '../quality/feed-tick.ts'

const LEVELS_MS = 100

/** Lets at most ten levels a second of a symbol through, by event time. */
export function levelsThrottle(): (tick: FeedTick) => boolean {
  const last = new Map<string, number>()
  return (tick) => {
    if (tick.kind !== 'levels') return true
    if (tick.ts - (last.get(tick.symbol) ?? Number.NEGATIVE_INFINITY) < LEVELS_MS) return false
    last.set(tick.symbol, tick.ts)
    return true
  }
}
