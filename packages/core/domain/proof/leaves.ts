/** The log as an archive shows it: leaves proved against segment heads, and the holes where leaves are not shown. */
import { canonical } from '../journal/canonical.ts'
import { bytesToHex } from '../journal/hash.ts'
import type { MarketEvent } from '../market/event.ts'
import type { Envelope } from './archive.ts'
import { segmentsOf } from './collect.ts'
import type { Finding } from './findings.ts'
import { MerkleStack, portableHash, rootFrom, type TreeHash } from './merkle.ts'
import type { Segments } from './retell.ts'
import { headOf, leafData, type Newest, NO_HEAD, type SegmentHead } from './segment.ts'

export interface ShownLeaf {
  event: MarketEvent
  /** position among the leaves of its stream in its segment */
  index: number
  segment: number
  p: Newest
  /** first 8 hex digits of the leaf hash, as the archive says them: they only help to name a damaged line */
  mark: string | null
}
/** Leaves that exist and are not shown have an mseq strictly between these. */
export interface Hole {
  after: number
  before: number
}
/** Heads of the segments in an envelope, chained from `prev`. */
export function headsOf(log: Envelope['log']): SegmentHead[] {
  let prev = log.prev
  return log.segments.map(({ first, last, groups }) => {
    const body = {
      prev,
      first,
      last,
      firstMts: 0,
      lastMts: 0,
      groups: Object.fromEntries(Object.entries(groups).map(([name, [count, root]]) => [name, { count, root }])),
    }
    prev = headOf(body)
    return { head: prev, ...body }
  })
}

export class ShownLog {
  readonly segments: Segments
  constructor(
    readonly heads: readonly SegmentHead[],
    /** each stream's leaves in order of mseq */
    readonly streams: ReadonlyMap<string, readonly ShownLeaf[]>,
    prev: string,
  ) {
    this.segments = segmentsOf(heads, prev === NO_HEAD ? null : prev)
    this.fromStart = prev === NO_HEAD
  }
  readonly fromStart: boolean

  /** All leaves, in order of mseq. */
  events(): ShownLeaf[] {
    return [...this.streams.values()].flat().sort((a, b) => a.event.mseq - b.event.mseq)
  }
  has(stream: string, mseq: number): boolean {
    return this.streams.get(stream)?.[this.upTo(stream, mseq)]?.event.mseq === mseq
  }
  /** Index of the newest leaf shown at or before mseq; -1: none. */
  upTo(stream: string, mseq: number): number {
    const leaves = this.streams.get(stream) ?? []
    let low = 0
    let high = leaves.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (leaves[middle]!.event.mseq <= mseq) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** Where leaves of a stream are not shown, ascending. What lies before the first segment is a hole too, unless it is the log's first. */
  holes(stream: string): Hole[] {
    const holes: Hole[] = this.fromStart || this.heads.length === 0 ? [] : [{ after: 0, before: this.heads[0]!.first }]
    const leaves = this.streams.get(stream) ?? []
    let at = 0
    this.heads.forEach((head, segment) => {
      const count = head.groups[stream]?.count ?? 0
      let expected = 0
      let after = head.first - 1
      for (; at < leaves.length && leaves[at]!.segment === segment; at++) {
        const { index, event } = leaves[at]!
        if (index !== expected) holes.push({ after, before: event.mseq })
        expected = index + 1
        after = event.mseq
      }
      if (expected < count) holes.push({ after, before: head.last + 1 })
    })
    return holes
  }
}

/** The first hole that can hold an mseq in (after, through]. */
export function holeIn(holes: readonly Hole[], after: number, through: number): Hole | null {
  let low = 0
  let high = holes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holes[middle]!.before - 1 <= after) low = middle + 1
    else high = middle
  }
  const hole = holes[low]
  return hole && hole.after + 1 <= through && Math.max(hole.after, after) + 1 < hole.before ? hole : null
}

/** Proves every leaf against its segment's head; says what does not hold. */
export function proveLog(log: Envelope['log'], shown: ShownLog, tree: TreeHash = portableHash): Finding[] {
  const findings: Finding[] = []
  const proofs = new Map<string, readonly string[]>(
    log.proofs.map(([segment, stream, hashes]) => [`${segment} ${stream}`, hashes]),
  )
  const used = new Set<string>()
  for (const [stream, leaves] of shown.streams) {
    for (let at = 0; at < leaves.length; ) {
      const { segment } = leaves[at]!
      let end = at
      while (end < leaves.length && leaves[end]!.segment === segment) end++
      const key = `${segment} ${stream}`
      used.add(key)
      findings.push(...proveStream(shown.heads[segment]!, stream, leaves.slice(at, end), proofs.get(key) ?? [], tree))
      at = end
    }
  }
  for (const key of proofs.keys()) {
    if (used.has(key)) continue
    const segment = Number(key.slice(0, key.indexOf(' ')))
    findings.push({
      reason: `leaves of ${key.slice(key.indexOf(' ') + 1)} are missing`,
      mseq: shown.heads[segment]?.first ?? null,
      aseq: null,
      vague: true,
    })
  }
  return findings
}

function proveStream(
  head: SegmentHead,
  stream: string,
  leaves: readonly ShownLeaf[],
  proof: readonly string[],
  tree: TreeHash,
): Finding[] {
  const group = head.groups[stream]
  const first = leaves[0]!.event.mseq
  if (!group)
    return [{ reason: `the segment ${head.first}..${head.last} has no leaves of ${stream}`, mseq: first, aseq: null }]
  const findings: Finding[] = []
  const included = new Map<number, Uint8Array>()
  let whole = leaves.length === group.count && proof.length === 0
  leaves.forEach((leaf, i) => {
    const hash = tree.leaf(leafData(canonical(leaf.event), leaf.p))
    if (leaf.mark !== null && bytesToHex(hash.subarray(0, 4)) !== leaf.mark) {
      findings.push({
        reason: `the event ${leaf.event.mseq} of ${stream} is not the one that was sealed`,
        mseq: leaf.event.mseq,
        aseq: null,
      })
    }
    included.set(leaf.index, hash)
    whole &&= leaf.index === i
  })
  if (findings.length > 0) return findings
  let root: string | null
  if (whole) {
    const stack = new MerkleStack(tree)
    for (const hash of included.values()) stack.append(hash)
    root = stack.root()
  } else root = rootFrom(group.count, included, proof, tree)
  if (root !== group.root) {
    const why = root === null ? 'leaves are missing, or there are too many' : 'the root differs'
    findings.push({
      reason: `the Merkle path of ${stream} in the segment ${head.first}..${head.last} does not hold: ${why}`,
      mseq: first,
      aseq: null,
      vague: true,
    })
  }
  return findings
}
/** The mseq of a leaf missing in a hole: the next leaf's pointers name it where it was a quote, levels or state. */
export function missingIn(hole: Hole, next: ShownLeaf | undefined): number {
  const named = Math.max(0, ...(next?.p ?? []))
  return named > hole.after && named < hole.before ? named : hole.after + 1
}

/** Whether heads follow each other without a break and hold as many leaves as events. */
export function checkHeads(heads: readonly SegmentHead[]): { finding: Finding | null; lost: string | null } {
  for (const [i, head] of heads.entries()) {
    const count = Object.values(head.groups).reduce((n, g) => n + g.count, 0)
    if (head.last < head.first || count > head.last - head.first + 1) {
      return {
        finding: {
          reason: `the segment ${head.first}..${head.last} cannot hold ${count} events`,
          mseq: head.first,
          aseq: null,
        },
        lost: null,
      }
    }
    const before = heads[i - 1]
    if (before && head.first <= before.last)
      return { finding: { reason: 'segments overlap', mseq: head.first, aseq: null }, lost: null }
    if ((before && head.first > before.last + 1) || count < head.last - head.first + 1) {
      return { finding: null, lost: `events before ${head.last} were lost by a power failure` }
    }
  }
  return { finding: null, lost: null }
}
