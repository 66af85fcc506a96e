import type { MarketEvent } from '@assay/core/domain/market/event'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Lockstep } from '@assay/core/ports/marketlog/lockstep'
import { DiskFullError, type MarketLog } from '@assay/core/ports/marketlog/port'
import { type Played, playEvents, type Speed } from '../replay/run-replay.ts'

const DISK_RETRY_MS = 1000

export interface PlayedFeedOptions {
  marketlog: MarketLog
  clock: Clock
  group: string
  epoch: number
  pace: Speed | 'lockstep'
  lockstep: Lockstep
  signal: AbortSignal
  /** the events from the first one on, again at each call */
  events: () => AsyncIterable<MarketEvent[]>
  /** the disk is full: nothing is released */
  onStopped: (stopped: boolean) => void
}

/** A feed with market time of its own: goes on where the log ends, waits while the disk is full, seals the log behind its last event. */
export async function runPlayedFeed(options: PlayedFeedOptions): Promise<Played> {
  const { marketlog, clock, group, epoch, pace, signal, onStopped } = options
  const inLockstep = pace === 'lockstep'
  if (inLockstep) await options.lockstep.driven(signal)
  for (;;) {
    try {
      const play = { log: marketlog, group, epoch, clock, signal, speed: inLockstep ? ('max' as const) : pace }
      const played = await playEvents(inLockstep ? { ...play, lockstep: options.lockstep } : play, options.events())
      // nothing comes behind it that would end the last segment
      await marketlog.seal(group)
      return played
    } catch (error) {
      if (!(error instanceof DiskFullError)) throw error
      onStopped(true)
      do await clock.sleep(DISK_RETRY_MS, signal)
      while ((await marketlog.recoverDisk()) === 'full')
      onStopped(false)
    }
  }
}
