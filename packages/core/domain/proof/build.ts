/** Makes the archive: what the trading service serves and what a backtest writes are the same bytes of the same run. */
import { gzipSync } from 'fflate'
import type { JournalRecord } from '../engine/types.ts'
import { canonical } from '../journal/canonical.ts'
import type { JournalKey } from '../journal/keys.ts'
import type { Receipt } from '../journal/receipt.ts'
import { leafGroup, type MarketEvent } from '../market/event.ts'
import { documentFile, ENVELOPE_FILE, type Envelope, JOURNAL_FILE, MAX_LOG_BYTES } from './archive.ts'
import { collect, type LogSource, type Range, segmentsOf, type Wanted } from './collect.ts'
import { EntryWriter, pack } from './container.ts'
import { compileHeader } from './documents.ts'
import { portableHash, proveLeaves, type TreeHash } from './merkle.ts'
import { eventText, leafData, type Newest, NewestOf, type SegmentHead } from './segment.ts'
import { streamFile } from './stream-file.ts'

/** What stands beside a record and is not hashed. */
export interface RecordEnvelope {
  hash: string
  /** wall time of the commit, ms */
  at: number | null
  request: string | null
  receipt: Receipt | null
}
export interface ProofInput {
  assessment: string
  ids: Record<string, string>
  /** the whole chain, from record 0 */
  records: readonly JournalRecord[]
  envelope: readonly RecordEnvelope[]
  /** content hash -> canonical JSON of every document that the header cites */
  documents: ReadonlyMap<string, string>
  keys: readonly JournalKey[]
  group: string
  log: LogSource
  /** keeps a segment that is too much to carry; without it the archive carries it all the same */
  keep?: (head: string, file: Uint8Array) => Promise<void>
  tree?: TreeHash
  maxLogBytes?: number
}
/** The log is not sealed far enough: ask again later. */
export class NotSealedError extends Error {}
/** What a proof would stand on is not kept any more. */
export class LogGoneError extends Error {}

export async function buildProof(input: ProofInput): Promise<Uint8Array> {
  const header = input.records[0]
  if (header?.kind !== 'header') throw new RangeError('a journal starts with its header')
  const compiled = compileHeader(header, input.documents)
  const first = Math.max(header.mseq, 1)
  const sealed = await input.log.segments(first, Number.MAX_SAFE_INTEGER)
  if (sealed.length === 0) throw new NotSealedError('no segment has ended since the assessment was created')
  if (sealed[0]!.first > first) throw new LogGoneError(`the log before ${sealed[0]!.first} is gone`)
  const wanted = await collect(
    { compiled, assessment: input.assessment, records: input.records },
    input.log,
    sealed,
    segmentsOf(sealed, prevOf(sealed)),
  )
  const from = firstWanted(wanted, first)
  const heads = await input.log.segments(from, wanted.end)
  if (!heads[0] || heads[0].first > from)
    throw new LogGoneError(`the log before ${heads[0]?.first ?? wanted.end} is gone`)
  const leaves = await writeLeaves(input, wanted, heads)
  const records = upTo(wanted.end, input.records, leaves.endMts)

  const entries = new Map<string, EntryWriter | string>(leaves.files)
  const journal = new EntryWriter()
  for (const record of records) journal.write(`${canonical(record)}\n`)
  entries.set(JOURNAL_FILE, journal)
  for (const hash of new Set(Object.values(header.docs))) entries.set(documentFile(hash), input.documents.get(hash)!)
  const envelope: Envelope = {
    v: 1,
    assessment: input.assessment,
    ids: input.ids,
    end: wanted.end,
    records: records.map((_, i) => {
      const { hash, at, request } = input.envelope[i]!
      return [hash, at, request]
    }),
    receipts: input.envelope.slice(0, records.length).flatMap((e) => e.receipt ?? []),
    keys: [...input.keys],
    log: {
      group: input.group,
      prev: heads[0]!.prev,
      segments: heads.map((h) => ({
        first: h.first,
        last: h.last,
        groups: Object.fromEntries(
          Object.entries(h.groups).map(([name, g]) => [name, [g.count, g.root] as [number, string]]),
        ),
      })),
      proofs: leaves.proofs,
      ...(leaves.cited ? { cited: leaves.cited } : {}),
    },
  }
  entries.set(ENVELOPE_FILE, canonical(envelope))
  return pack(entries)
}

const prevOf = (heads: readonly SegmentHead[]): string | null => (/^0+$/.test(heads[0]!.prev) ? null : heads[0]!.prev)

/** A journal cut at the log's end: what a deadline wrote there came with an event that is not sealed yet. */
function upTo(end: number, records: readonly JournalRecord[], endMts: number): readonly JournalRecord[] {
  const cut = records.findIndex((r) => r.mseq > end || (r.mseq === end && r.mts > endMts))
  return cut < 0 ? records : records.slice(0, cut)
}

function firstWanted(wanted: Wanted, created: number): number {
  if (wanted.fromStart) return 1
  let first = created
  for (const mseq of wanted.single) first = Math.min(first, mseq)
  for (const list of wanted.ranges.values()) for (const r of list) first = Math.min(first, Math.max(1, r.after))
  return first
}

interface Leaf {
  event: MarketEvent
  p: Newest
}
interface Written {
  files: Map<string, EntryWriter>
  proofs: [number, string, string[]][]
  cited: number[] | null
  /** market time of the last event */
  endMts: number
}

async function writeLeaves(input: ProofInput, wanted: Wanted, heads: readonly SegmentHead[]): Promise<Written> {
  const ranges = new Map([...wanted.ranges].map(([stream, list]) => [stream, merge(list)]))
  const singles = [...wanted.single].sort((a, b) => a - b)
  const tree = input.tree ?? portableHash
  const written: Written = { files: new Map(), proofs: [], cited: null, endMts: heads.at(-1)!.lastMts }
  let bytes = 0
  for await (const segment of readSegments(input.log, heads, (head) => isWanted(head, singles, ranges))) {
    for (const [stream, leaves] of segment.streams) {
      const chosen = choose(segment.head, leaves, singles, ranges.get(stream) ?? [])
      if (chosen.length === 0) continue
      let file = written.files.get(stream)
      if (!file) {
        file = new EntryWriter()
        written.files.set(stream, file)
      }
      const hashOf = (i: number): Uint8Array => tree.leaf(leafData(eventText(leaves[i]!.event), leaves[i]!.p))
      for (const i of chosen) {
        const { event, p } = leaves[i]!
        const text = eventText(event)
        const line = `{"e":${text},"h":"${hex4(hashOf(i))}","i":${i},"p":[${p.join(',')}]}\n`
        bytes += line.length
        file.write(line)
      }
      if (chosen.length < leaves.length)
        written.proofs.push([segment.index, stream, proveLeaves(leaves.length, chosen, hashOf, tree)])
    }
    if (input.keep && bytes > (input.maxLogBytes ?? MAX_LOG_BYTES))
      return citeSegments(input, wanted, heads, written.endMts)
  }
  written.files = new Map([...written.files].map(([stream, file]) => [streamFile(stream), file]))
  return written
}
const hex4 = (hash: Uint8Array): string => [...hash.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join('')

/** Too much to carry: the segments go where `keep` puts them, the archive names them. */
async function citeSegments(
  input: ProofInput,
  wanted: Wanted,
  heads: readonly SegmentHead[],
  endMts: number,
): Promise<Written> {
  const ranges = new Map([...wanted.ranges].map(([stream, list]) => [stream, merge(list)]))
  const singles = [...wanted.single].sort((a, b) => a - b)
  const cited: number[] = []
  for await (const segment of readSegments(input.log, heads, (head) => isWanted(head, singles, ranges))) {
    const all = [...segment.streams.values()].flat().sort((a, b) => a.event.mseq - b.event.mseq)
    cited.push(segment.index)
    await input.keep!(segment.head.head, segmentFile(all))
  }
  return { files: new Map(), proofs: [], cited, endMts }
}
/** A whole segment: gzip of its leaf data, one a line, in order of mseq. */
const segmentFile = (leaves: readonly Leaf[]): Uint8Array =>
  gzipSync(new TextEncoder().encode(leaves.map(({ event, p }) => `${leafData(eventText(event), p)}\n`).join('')), {
    mtime: 0,
  })

/** Whole segments with every leaf's pointers; those that are not asked for are not read. */
async function* readSegments(
  log: LogSource,
  heads: readonly SegmentHead[],
  asked: (head: SegmentHead) => boolean,
): AsyncGenerator<{ index: number; head: SegmentHead; streams: Map<string, Leaf[]> }> {
  let newest: NewestOf | null = null
  for (const [index, head] of heads.entries()) {
    if (!asked(head)) {
      newest = null
      continue
    }
    if (!newest) {
      newest = new NewestOf()
      for (const event of (await log.carry(head.first)).events) newest.apply(event)
    }
    const streams = new Map<string, Leaf[]>()
    for await (const batch of log.read(head.first, head.last)) {
      for (const event of batch) {
        const stream = leafGroup(event)
        let leaves = streams.get(stream)
        if (!leaves) {
          leaves = []
          streams.set(stream, leaves)
        }
        leaves.push({ event, p: newest.before(event) })
        newest.apply(event)
      }
    }
    yield { index, head, streams }
  }
}

/** Overlapping and touching ranges as one, ascending. */
function merge(ranges: readonly Range[]): Range[] {
  const merged: Range[] = []
  for (const range of [...ranges].sort((a, b) => a.after - b.after)) {
    const last = merged.at(-1)
    if (last && range.after <= last.through) last.through = Math.max(last.through, range.through)
    else merged.push({ ...range })
  }
  return merged
}
const lowerBound = (n: number, before: (i: number) => boolean): number => {
  let low = 0
  let high = n
  while (low < high) {
    const middle = (low + high) >>> 1
    if (before(middle)) low = middle + 1
    else high = middle
  }
  return low
}

function isWanted(
  head: SegmentHead,
  singles: readonly number[],
  ranges: ReadonlyMap<string, readonly Range[]>,
): boolean {
  const single = singles[lowerBound(singles.length, (i) => singles[i]! < head.first)]
  if (single !== undefined && single <= head.last) return true
  for (const list of ranges.values()) {
    const range = list[lowerBound(list.length, (i) => list[i]!.through < head.first)]
    if (range && range.after <= head.last) return true
  }
  return false
}

/** Indexes of the leaves of one segment's stream to carry: wanted ones, and those on both sides of a range. */
function choose(
  head: SegmentHead,
  leaves: readonly Leaf[],
  singles: readonly number[],
  ranges: readonly Range[],
): number[] {
  const chosen = new Set<number>()
  const first = leaves[0]!.event.mseq
  const last = leaves.at(-1)!.event.mseq
  const at = (mseq: number): number => lowerBound(leaves.length, (i) => leaves[i]!.event.mseq < mseq)
  for (let i = lowerBound(singles.length, (k) => singles[k]! < first); i < singles.length && singles[i]! <= last; i++) {
    const found = at(singles[i]!)
    if (leaves[found]!.event.mseq === singles[i]) chosen.add(found)
  }
  for (const range of ranges) {
    if (range.after >= head.last || range.through < head.first) continue
    const to = Math.min(at(range.through + 1), leaves.length - 1)
    for (let i = Math.max(0, at(range.after + 1) - 1); i <= to; i++) chosen.add(i)
  }
  return [...chosen].sort((a, b) => a - b)
}
