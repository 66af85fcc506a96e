import type { Clock } from '@assay/core/ports/clock/port'
import type { FeedTick } from '../quality/feed-tick.ts'
import { World, type WorldOptions } from './world.ts'

export interface SimFeedOptions extends WorldOptions {
  clock: Clock
  /** between two steps of the market */
  tickMs: number
}

/** The simulated market at the pace of the wall clock, until the signal aborts. */
export async function runSimFeed(
  options: SimFeedOptions,
  emit: (ticks: FeedTick[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const { clock, tickMs } = options
  const world = new World(options)
  let due = clock.monotonic()
  while (!signal.aborted) {
    emit(world.step(clock.now(), tickMs))
    due = Math.max(due + tickMs, clock.monotonic())
    await clock.sleep(Math.max(1, due - clock.monotonic()), signal).catch(() => {})
  }
}
