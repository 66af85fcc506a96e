import type { Blobs } from '@assay/core/ports/blobs/port'
import { segmentName } from '@assay/core/ports/marketlog/archive'

/** Drops archived segments that begin before the oldest event still held. */
export async function dropArchived(blobs: Blobs, group: string, first: number): Promise<number> {
  const [, folder] = /^(.*\/)[^/]+$/.exec(segmentName(group, first))!
  let dropped = 0
  for (const name of await blobs.list(folder!)) {
    if (name >= segmentName(group, first)) break
    await blobs.delete(name)
    dropped++
  }
  return dropped
}
