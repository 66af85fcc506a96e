import type { Blobs } from '@assay/core/ports/blobs/port'
import { bundleRange, listBundles } from '@assay/core/ports/marketlog/archive'

/** Drops archived bundles that end before the oldest event still held. */
export async function dropArchived(blobs: Blobs, group: string, first: number): Promise<void> {
  for (const name of await listBundles(blobs, group)) {
    if (bundleRange(name).last >= first) return
    await blobs.delete(name)
  }
}
