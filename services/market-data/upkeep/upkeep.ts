import type { Deps } from '@assay/core/kernel/service'
import type { Retained } from '@assay/core/ports/marketlog/port'
import { archivedTo, archiveSegments } from './archive-segments.ts'
import { dropArchived } from './drop-archived.ts'

const EVERY_MS = 60_000
const RETENTION_MS = 7 * 86_400_000

export interface Upkeep {
  /** of the last round */
  retained: Retained | null
  /** files of segments dropped since the start because the log was over its size */
  droppedForSize: number
  run(signal: AbortSignal): Promise<void>
}

/** Each minute: sealed segments to the blobs; what is older than 7 days of market time or beyond the size, and needed by no proof, is dropped. */
export function createUpkeep(
  deps: Pick<Deps, 'marketlog' | 'blobs' | 'clock' | 'log'>,
  group: string,
  maxBytes: number,
): Upkeep {
  const { marketlog, blobs, clock, log } = deps
  let archived: number | null = null
  const upkeep: Upkeep = {
    retained: null,
    droppedForSize: 0,
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(EVERY_MS, signal).catch(() => {})
        if (signal.aborted) return
        await round(signal).catch((err) => log.warn({ err, group }, 'market log: upkeep failed'))
      }
    },
  }
  async function round(signal: AbortSignal): Promise<void> {
    archived = await archiveSegments({ marketlog, blobs, group, signal }, archived ?? (await archivedTo(blobs, group)))
    const end = await marketlog.end(group)
    if (!end) return
    const retained = await marketlog.retain(group, { beforeMts: end.mts - RETENTION_MS, maxBytes })
    upkeep.retained = retained
    upkeep.droppedForSize += retained.forSize
    if (retained.dropped === 0) return
    await dropArchived(blobs, group, retained.first)
    log.info({ group, ...retained }, 'market log: old segments dropped')
  }
  return upkeep
}
