import type { MarketEvent } from '@assay/core/domain/market/event'
import type { Blobs } from '@assay/core/ports/blobs/port'
import { encodeSegment, segmentName } from '@assay/core/ports/marketlog/archive'
import type { MarketLog, SegmentHead } from '@assay/core/ports/marketlog/port'

export interface ArchiveOptions {
  marketlog: MarketLog
  blobs: Blobs
  group: string
  signal: AbortSignal
}

/** Puts the sealed segments that end after `after` into the blobs, once each; the last mseq that lies there then. */
export async function archiveSegments(
  { marketlog, blobs, group, signal }: ArchiveOptions,
  after: number,
): Promise<number> {
  const end = await marketlog.end(group)
  let done = after
  for (const head of await marketlog.segments(group, after + 1, end?.mseq ?? 0)) {
    if (signal.aborted) break
    const name = segmentName(group, head.first)
    if (!(await blobs.has(name)))
      await blobs.put(name, await encodeSegment(head, eventsOf(marketlog, group, head, signal)))
    done = head.last
  }
  return done
}

async function* eventsOf(
  marketlog: MarketLog,
  group: string,
  { first, last }: SegmentHead,
  signal: AbortSignal,
): AsyncGenerator<MarketEvent[]> {
  for await (const batch of marketlog.read(group, first, signal)) {
    yield batch.filter((event) => event.mseq <= last)
    if (batch.at(-1)!.mseq >= last) return
  }
}
