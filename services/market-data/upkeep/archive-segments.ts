import type { MarketEvent } from '@assay/core/domain/market/event'
import type { Blobs } from '@assay/core/ports/blobs/port'
import {
  type Bundle,
  bundleName,
  bundleRange,
  bundlesOf,
  encodeBundle,
  listBundles,
} from '@assay/core/ports/marketlog/archive'
import type { MarketLog } from '@assay/core/ports/marketlog/port'

export interface ArchiveOptions {
  marketlog: MarketLog
  blobs: Blobs
  group: string
  signal: AbortSignal
}

/** The last mseq that lies in the blobs; 0: none. */
export async function archivedTo(blobs: Blobs, group: string): Promise<number> {
  const newest = (await listBundles(blobs, group)).at(-1)
  return newest === undefined ? 0 : bundleRange(newest).last
}

/** Puts the sealed segments behind `after` into the blobs as far as their bundles are complete; the last mseq that lies there then. */
export async function archiveSegments(
  { marketlog, blobs, group, signal }: ArchiveOptions,
  after: number,
): Promise<number> {
  const end = await marketlog.end(group)
  let done = after
  for (const bundle of bundlesOf(await marketlog.segments(group, after + 1, end?.mseq ?? 0))) {
    const bytes = await encodeBundle(bundle, eventsOf(marketlog, group, bundle, signal))
    if (signal.aborted) break
    await blobs.put(bundleName(group, bundle), bytes)
    done = bundle.last
  }
  return done
}

async function* eventsOf(
  marketlog: MarketLog,
  group: string,
  { first, last }: Bundle,
  signal: AbortSignal,
): AsyncGenerator<MarketEvent[]> {
  for await (const batch of marketlog.read(group, first, signal)) {
    yield batch.filter((event) => event.mseq <= last)
    if (batch.at(-1)!.mseq >= last) return
  }
}
