import { gunzipSync } from 'fflate'
import { parseCanonical } from '../journal/canonical.ts'
import { leafGroup } from '../market/event.ts'
import type { Envelope, LeafLine } from './archive.ts'
import { type Finding, found, isCount, isObject, textOf, UnreadableError } from './findings.ts'
import { headsOf, type ShownLeaf, ShownLog } from './leaves.ts'
import { streamOfFile } from './stream-file.ts'

/** The file of a cited segment by its head, gzip; null: not here. */
export type SegmentFiles = (head: string) => Promise<Uint8Array | null>

/** The log's part of an archive; leaves are not proved here. */
export async function readLog(
  files: ReadonlyMap<string, Uint8Array>,
  envelope: Envelope,
  findings: Finding[],
  segmentFiles?: SegmentFiles,
): Promise<ShownLog> {
  const heads = headsOf(envelope.log)
  const streams = new Map<string, ShownLeaf[]>()
  if (envelope.log.cited) {
    for (const index of envelope.log.cited) {
      const head = heads[index]
      if (!head) throw found(`there is no segment ${index} to cite`)
      const file = await segmentFiles?.(head.head)
      if (!file)
        throw new UnreadableError(
          `the segment ${head.head} (mseq ${head.first} to ${head.last}) is cited, not carried: give it with --segments`,
        )
      readSegmentFile(file, index, streams)
    }
  }
  for (const [name, bytes] of files) {
    const stream = streamOfFile(name)
    if (stream === null) continue
    if (envelope.log.cited) throw new UnreadableError(`${name} stands beside cited segments`)
    streams.set(stream, readLeaves(stream, textOf(bytes, name), heads, findings))
  }
  return new ShownLog(heads, streams, envelope.log.prev)
}

function readLeaves(stream: string, text: string, heads: ShownLog['heads'], findings: Finding[]): ShownLeaf[] {
  const lines = text.split('\n')
  const rest = lines.pop()
  const leaves: ShownLeaf[] = []
  let segment = 0
  for (const [i, line] of lines.entries()) {
    const before = leaves.at(-1)?.event.mseq ?? 0
    let leaf: Partial<LeafLine>
    try {
      leaf = parseCanonical(line) as Partial<LeafLine>
    } catch {
      throw found(`line ${i + 1} of the log of ${stream} is not canonical JSON`, { mseq: before + 1 })
    }
    if (!isLeaf(leaf) || leafGroup(leaf.e) !== stream)
      throw found(`line ${i + 1} of the log of ${stream} is no leaf of it`, { mseq: before + 1 })
    const { mseq } = leaf.e
    if (mseq <= before) throw found(`event ${mseq} of ${stream} is out of order`, { mseq })
    while (segment < heads.length && heads[segment]!.last < mseq) segment++
    if (!heads[segment] || mseq < heads[segment]!.first)
      throw found(`event ${mseq} of ${stream} is in no segment`, { mseq })
    const last = leaves.at(-1)
    if (last && last.segment === segment && leaf.i <= last.index)
      findings.push({ reason: `event ${mseq} of ${stream} is out of order`, mseq, aseq: null })
    leaves.push({ event: leaf.e, index: leaf.i, segment, p: leaf.p, mark: leaf.h })
  }
  if (rest !== '')
    throw found(`the last line of the log of ${stream} is cut off`, { mseq: (leaves.at(-1)?.event.mseq ?? 0) + 1 })
  return leaves
}
function isLeaf(leaf: unknown): leaf is LeafLine {
  if (!isObject(leaf)) return false
  const { e, h, i, p } = leaf as Partial<LeafLine>
  return (
    typeof e === 'object' &&
    e !== null &&
    typeof e.kind === 'string' &&
    isCount(e.mseq) &&
    isCount(e.mts) &&
    e.mseq > 0 &&
    (!('symbol' in e) || typeof e.symbol === 'string') &&
    typeof h === 'string' &&
    isCount(i) &&
    Array.isArray(p) &&
    p.length >= 3 &&
    p.length <= 6 &&
    p.every(isCount) &&
    (p.length === 3 || p.at(-1) !== 0)
  )
}

/** Leaves of a whole segment: their positions are their order, their roots prove them. */
function readSegmentFile(file: Uint8Array, segment: number, streams: Map<string, ShownLeaf[]>): void {
  let lines: unknown[]
  try {
    lines = textOf(gunzipSync(file), 'a segment file').split('\n').slice(0, -1).map(parseCanonical)
  } catch (error) {
    throw new UnreadableError('a segment file cannot be read', { cause: error })
  }
  for (const line of lines) {
    const leaf = isObject(line) ? { ...line, h: '', i: 0 } : line
    if (!isLeaf(leaf)) throw new UnreadableError('a segment file holds something that is no leaf')
    const stream = leafGroup(leaf.e)
    let leaves = streams.get(stream)
    if (!leaves) {
      leaves = []
      streams.set(stream, leaves)
    }
    const last = leaves.at(-1)
    leaves.push({
      event: leaf.e,
      index: last?.segment === segment ? last.index + 1 : 0,
      segment,
      p: leaf.p,
      mark: null,
    })
  }
}
