import type { MarketLog } from '@assay/core/ports/marketlog/port'

export interface SegmentEnd {
  /** last mseq of the segment, and its market time */
  last: number
  lastMts: number
}

/**
 * Where the sealed segments of a group end. A segment never spans two minutes, so the newest one that ended before a
 * full minute holds the last event before it: the way from a time to a place in the log. Sealed ones never change; each is read once.
 */
export class SegmentEnds {
  private readonly groups = new Map<string, SegmentEnd[]>()

  constructor(private readonly marketlog: Pick<MarketLog, 'segments'>) {}

  /** Ends of the segments that touch [from, to], ascending. */
  async between(group: string, from: number, to: number): Promise<readonly SegmentEnd[]> {
    const known = this.groups.get(group) ?? []
    this.groups.set(group, known)
    if (known.length === 0) await this.load(group, from, to)
    else {
      if (known[0]!.last > from) await this.load(group, from, known[0]!.last - 1)
      if (known.at(-1)!.last < to) await this.load(group, known.at(-1)!.last + 1, to)
    }
    return known.slice(firstFrom(known, from), firstFrom(known, to) + 1)
  }

  private async load(group: string, from: number, to: number): Promise<void> {
    const known = this.groups.get(group)!
    const held = new Set(known.map(({ last }) => last))
    const heads = await this.marketlog.segments(group, from, to)
    known.push(...heads.filter(({ last }) => !held.has(last)).map(({ last, lastMts }) => ({ last, lastMts })))
    known.sort((a, b) => a.last - b.last)
  }
}

/** Index of the first segment that ends at or after mseq. */
function firstFrom(ends: readonly SegmentEnd[], mseq: number): number {
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ends[middle]!.last < mseq) low = middle + 1
    else high = middle
  }
  return low
}
