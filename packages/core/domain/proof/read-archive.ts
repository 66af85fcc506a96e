import type { JournalRecord } from '../engine/types.ts'
import { parseCanonical } from '../journal/canonical.ts'
import { isHash, sha256Hex } from '../journal/hash.ts'
import { documentFile, ENVELOPE_FILE, type Envelope, envelopeSchema, JOURNAL_FILE } from './archive.ts'
import { unpack } from './container.ts'
import { type Finding, FoundError, found, isCount, isObject, textOf, UnreadableError } from './findings.ts'
import type { ShownLog } from './leaves.ts'
import { readLog, type SegmentFiles } from './read-log.ts'
import { streamOfFile } from './stream-file.ts'

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
      !isCount(record.aseq) ||
      !isCount(record.mseq) ||
      !isCount(record.mts) ||
      !isCount(record.cseq)
    ) {
      throw found(`line ${aseq + 1} of the journal is no record`, { aseq })
    }
    if (!isShaped(record)) throw found(`line ${aseq + 1} of the journal is no ${record.kind}`, { aseq })
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

/** What is read before the replay compares every byte. */
function isShaped(record: Partial<JournalRecord>): boolean {
  if (record.kind === 'header') return isObject(record.docs) && Object.values(record.docs).every(isHash)
  if (record.kind === 'command') return isObject(record.command) && isObject(record.answer)
  return typeof record.kind === 'string'
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
