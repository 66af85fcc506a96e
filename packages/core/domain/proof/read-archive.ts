import { gunzipSync } from 'fflate'
import type { JournalRecord } from '../engine/types.ts'
import { parseCanonical } from '../journal/canonical.ts'
import { bytesToHex, sha256Hex } from '../journal/hash.ts'
import { leafGroup, type MarketEvent } from '../market/event.ts'
import { documentFile, ENVELOPE_FILE, type Envelope, envelopeSchema, JOURNAL_FILE, type LeafLine } from './archive.ts'
import { unpack } from './container.ts'
import { type Finding, headsOf, type ShownLeaf, ShownLog } from './leaves.ts'
import { portableHash } from './merkle.ts'
import { leafData, type Newest } from './segment.ts'
import { streamOfFile } from './stream-file.ts'

/** Nothing can be said: exit 2. */
export class UnreadableError extends Error {}
/** Something does not hold and nothing after it can be read: exit 1 at this place. */
export class FoundError extends Error {
  constructor(readonly finding: Finding) {
    super(finding.reason)
  }
}
/** The file of a cited segment by its head, gzip; null: not here. */
export type SegmentFiles = (head: string) => Promise<Uint8Array | null>

export interface Archive {
  envelope: Envelope
  records: JournalRecord[]
  /** canonical text of each record */
  lines: string[]
  documents: Map<string, string>
  log: ShownLog
  /** what was wrong already while reading */
  findings: Finding[]
}

const found = (reason: string, place: Partial<Finding> = {}): FoundError =>
  new FoundError({ reason, mseq: null, aseq: null, ...place })

/** Archive bytes -> its parts, shapes checked, hashes of documents and nothing else. ContainerError, UnreadableError, FoundError. */
export async function readArchive(bytes: Uint8Array, segmentFiles?: SegmentFiles): Promise<Archive> {
  const { files, damaged } = unpack(bytes)
  const envelope = readEnvelope(files.get(ENVELOPE_FILE))
  const { lines, records } = readJournal(files.get(JOURNAL_FILE))
  const findings: Finding[] = []
  const documents = readDocuments(files, records, findings)
  for (const name of files.keys()) {
    const known =
      name === ENVELOPE_FILE ||
      name === JOURNAL_FILE ||
      /^docs\/[0-9a-f]{64}\.json$/.test(name) ||
      streamOfFile(name) !== null
    if (!known) throw new UnreadableError(`${name} is no part of a proof`)
  }
  const log = await readLog(files, envelope, findings, segmentFiles)
  if (damaged.length > 0) {
    findings.push({ reason: `the checksum of ${damaged[0]} does not hold`, mseq: null, aseq: null, vague: true })
  }
  return { envelope, records, lines, documents, log, findings }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
function textOf(bytes: Uint8Array, name: string): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw found(`${name} is not UTF-8`)
  }
}

function readEnvelope(bytes: Uint8Array | undefined): Envelope {
  if (!bytes) throw new UnreadableError('the envelope is missing')
  let value: unknown
  try {
    value = JSON.parse(textOf(bytes, ENVELOPE_FILE))
  } catch (error) {
    throw error instanceof FoundError ? error : new UnreadableError('the envelope is not JSON')
  }
  if ((value as { v?: unknown })?.v !== 1) throw new UnreadableError('the archive has a version that is not known here')
  const parsed = envelopeSchema.safeParse(value)
  if (!parsed.success)
    throw found(`envelope: ${parsed.error.issues[0]!.path.join('.')}: ${parsed.error.issues[0]!.message}`)
  return parsed.data
}

const integer = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0

function readJournal(bytes: Uint8Array | undefined): { lines: string[]; records: JournalRecord[] } {
  if (!bytes) throw new UnreadableError('the journal is missing')
  const text = textOf(bytes, JOURNAL_FILE)
  const lines = text.split('\n')
  const rest = lines.pop()
  const records = lines.map((line, aseq): JournalRecord => {
    let record: Partial<JournalRecord>
    try {
      record = parseCanonical(line) as Partial<JournalRecord>
    } catch {
      throw found(`line ${aseq + 1} of the journal is not canonical JSON`, { aseq })
    }
    if (
      typeof record !== 'object' ||
      record === null ||
      !integer(record.aseq) ||
      !integer(record.mseq) ||
      !integer(record.mts) ||
      !integer(record.cseq)
    ) {
      throw found(`line ${aseq + 1} of the journal is no record`, { aseq })
    }
    return record as JournalRecord
  })
  if (rest !== '') throw found('the last line of the journal is cut off', { aseq: lines.length })
  records.forEach((record, i) => {
    if (record.aseq !== i)
      throw found(`record ${record.aseq} stands where ${i} should`, {
        aseq: i,
        mseq: records[i - 1]?.mseq ?? record.mseq,
      })
  })
  if (records[0]?.kind !== 'header') throw found('the journal does not start with a header', { aseq: 0 })
  return { lines, records }
}

function readDocuments(
  files: ReadonlyMap<string, Uint8Array>,
  records: readonly JournalRecord[],
  findings: Finding[],
): Map<string, string> {
  const header = records[0] as Extract<JournalRecord, { kind: 'header' }>
  const documents = new Map<string, string>()
  const cited = Object.entries(header.docs ?? {})
  for (const [name, hash] of cited) {
    const file = files.get(documentFile(hash))
    if (!file) {
      // a header that was changed cites what never was: the chain says so first
      findings.push({ reason: `the document ${name} is missing`, mseq: header.mseq, aseq: 0, vague: true })
      continue
    }
    const text = textOf(file, documentFile(hash))
    if (sha256Hex(text) !== hash)
      findings.push({ reason: `the document ${name} is not the one that the header cites`, mseq: header.mseq, aseq: 0 })
    documents.set(hash, text)
  }
  const known = new Set(cited.map(([, hash]) => documentFile(hash)))
  for (const name of files.keys()) {
    if (name.startsWith('docs/') && !known.has(name))
      findings.push({ reason: `${name} is cited by nothing`, mseq: header.mseq, aseq: 0, vague: true })
  }
  return documents
}

async function readLog(
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
function isLeaf(leaf: Partial<LeafLine>): leaf is LeafLine {
  const { e, h, i, p } = leaf
  return (
    typeof e === 'object' &&
    e !== null &&
    typeof e.kind === 'string' &&
    integer(e.mseq) &&
    integer(e.mts) &&
    e.mseq > 0 &&
    (!('symbol' in e) || typeof e.symbol === 'string') &&
    typeof h === 'string' &&
    integer(i) &&
    Array.isArray(p) &&
    p.length === 3 &&
    p.every(integer)
  )
}

function readSegmentFile(file: Uint8Array, segment: number, streams: Map<string, ShownLeaf[]>): void {
  let text: string
  try {
    text = utf8.decode(gunzipSync(file))
  } catch (error) {
    throw new UnreadableError('a segment file cannot be read', { cause: error })
  }
  for (const line of text.split('\n').slice(0, -1)) {
    const { e, p } = parseCanonical(line) as { e: MarketEvent; p: Newest }
    const stream = leafGroup(e)
    let leaves = streams.get(stream)
    if (!leaves) {
      leaves = []
      streams.set(stream, leaves)
    }
    const last = leaves.at(-1)
    const index = last?.segment === segment ? last.index + 1 : 0
    leaves.push({
      event: e,
      index,
      segment,
      p,
      mark: bytesToHex(portableHash.leaf(leafData(line.slice(5, line.lastIndexOf(',"p":')), p)).subarray(0, 4)),
    })
  }
}
