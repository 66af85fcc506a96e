/**
 * The verifier: needs an archive and trusted keys, nothing else; the same in Node, Bun and a browser.
 * It reads, proves the log against its segment heads, decides everything again and compares byte for byte, then looks
 * at signatures. docs/proof-format.md says each step.
 */

import type { Compiled } from '../engine/compile.ts'
import { ENGINE_VERSION, type JournalRecord } from '../engine/types.ts'
import { GENESIS } from '../journal/chain.ts'
import { sha256Hex } from '../journal/hash.ts'
import type { JournalKey, VerifySignature } from '../journal/keys.ts'
import type { Receipt } from '../journal/receipt.ts'
import { checkComplete } from './check-complete.ts'
import { checkKept, checkSignatures } from './check-signatures.ts'
import { ContainerError } from './container.ts'
import { compileHeader } from './documents.ts'
import { type Finding, FoundError, UnreadableError } from './findings.ts'
import { checkHeads, proveLog } from './leaves.ts'
import { portableHash, type TreeHash } from './merkle.ts'
import { type Archive, readArchive } from './read-archive.ts'
import type { SegmentFiles } from './read-log.ts'
import { replayArchive } from './replay-archive.ts'

export interface VerifyOptions {
  /** public keys that are trusted: never those of the archive */
  keys: readonly JournalKey[]
  /** a receipt that a trader kept: it must be in this chain */
  receipt?: Receipt
  segments?: SegmentFiles
  /** heads of the same log from elsewhere: where both speak of a segment they must agree */
  against?: readonly { first: number; head: string }[]
  /** the runtime's own SHA-256, for speed */
  tree?: TreeHash
  /** the runtime's own Ed25519, for speed */
  verifySignature?: VerifySignature
}
export interface Verified {
  /** 0 it follows; 1 it does not, `at` says where first; 2 can't tell */
  exit: 0 | 1 | 2
  reason: string
  at?: { aseq: number | null; mseq: number | null }
  /** what was verified, where it was */
  summary?: { assessment: string; records: number; events: number; end: number; verdict: string; hash: string }
}

export async function verifyProof(bytes: Uint8Array, options: VerifyOptions): Promise<Verified> {
  let archive: Archive
  try {
    archive = await readArchive(bytes, options.segments)
  } catch (error) {
    if (error instanceof FoundError)
      return { exit: 1, reason: error.finding.reason, at: { aseq: error.finding.aseq, mseq: error.finding.mseq } }
    if (error instanceof ContainerError || error instanceof UnreadableError) return { exit: 2, reason: error.message }
    throw error
  }
  const { envelope, records } = archive
  const findings = [...archive.findings]
  const { hashes, findings: broken } = checkChain(archive)
  findings.push(...broken)
  const { finding, lost } = checkHeads(archive.log.heads)
  if (finding) findings.push(finding)
  findings.push(...checkScope(archive))
  findings.push(...proveLog(envelope.log, archive.log, options.tree ?? portableHash))

  const header = records[0] as Extract<JournalRecord, { kind: 'header' }>
  const missing = Object.entries(header.docs).find(([, hash]) => !archive.documents.has(hash))
  if (header.engine !== ENGINE_VERSION || missing) {
    if (broken.length > 0) return refuse(findings, records)
    return {
      exit: 2,
      reason: missing ? `the document ${missing[0]} is missing` : `engine version ${header.engine} is not known here`,
    }
  }
  let compiled: Compiled
  try {
    compiled = compileHeader(header, archive.documents)
  } catch (error) {
    findings.push({ reason: `the header cannot be read: ${(error as Error).message}`, mseq: header.mseq, aseq: 0 })
    return refuse(findings, records)
  }
  const watched = replayArchive(archive, compiled)
  if (watched.finding) findings.push(watched.finding)
  findings.push(...checkComplete(archive, compiled, watched))
  const compared = options.against ? checkAgainst(archive, options.against) : []
  findings.push(...(compared ?? []))
  if (options.receipt) findings.push(...checkKept(options.receipt, envelope.assessment, hashes, records))
  if (options.keys.length > 0) findings.push(...checkSignatures(archive, hashes, options))
  if (findings.length > 0) return refuse(findings, records)
  if (options.keys.length === 0)
    return { exit: 2, reason: 'no trusted key: everything follows, but nobody vouches for it' }
  if (lost) return { exit: 2, reason: lost }
  if (!compared) return { exit: 2, reason: 'the other side has no segment in common with this proof' }
  const verdict = records.findLast((r) => r.kind === 'verdict')
  return {
    exit: 0,
    reason: 'every record follows from the log and the commands',
    summary: {
      assessment: envelope.assessment,
      records: records.length,
      events: archive.log.events().length,
      end: envelope.end,
      verdict: verdict?.kind === 'verdict' ? verdict.verdict : 'open',
      hash: hashes.at(-1)!,
    },
  }
}

/** The first place where something differs; a vague one only when nothing says it better. */
function refuse(findings: readonly Finding[], records: readonly JournalRecord[]): Verified {
  const exact = findings.filter((f) => !f.vague)
  const placed = (exact.length > 0 ? exact : findings).map((f) => {
    const mseq = f.mseq ?? (f.aseq === null ? null : (records[f.aseq]?.mseq ?? null))
    const aseq = f.aseq ?? (f.mseq === null ? null : records.findIndex((r) => r.mseq >= f.mseq!))
    return { ...f, mseq, aseq: aseq === -1 ? null : aseq }
  })
  const order = (v: number | null): number => v ?? Number.POSITIVE_INFINITY
  placed.sort((a, b) => order(a.mseq) - order(b.mseq) || order(a.aseq) - order(b.aseq))
  const first = placed[0]!
  return { exit: 1, reason: first.reason, at: { aseq: first.aseq, mseq: first.mseq } }
}

function checkChain(archive: Archive): { hashes: string[]; findings: Finding[] } {
  const { lines, records, envelope } = archive
  const hashes: string[] = []
  const findings: Finding[] = []
  let previous = GENESIS
  lines.forEach((line, aseq) => {
    const stated = envelope.records[aseq]?.[0]
    const hash = sha256Hex(previous + line)
    hashes.push(hash)
    if (findings.length === 0 && stated !== hash) {
      findings.push({
        reason: stated === undefined ? `record ${aseq} was added` : `the hash of record ${aseq} does not hold`,
        mseq: records[aseq]!.mseq,
        aseq,
      })
    }
    previous = hash
  })
  if (envelope.records.length > lines.length && findings.length === 0) {
    findings.push({ reason: `record ${lines.length} is missing`, mseq: records.at(-1)!.mseq, aseq: lines.length })
  }
  return { hashes, findings }
}

/** The archive speaks of its account's group, up to the end of its last segment. */
function checkScope({ envelope, log, records }: Archive): Finding[] {
  const findings: Finding[] = []
  const end = log.heads.at(-1)?.last ?? 0
  const [header] = records
  if (header?.kind === 'header' && header.group !== envelope.log.group) {
    findings.push({
      reason: `the log is of the group ${envelope.log.group}, the account's is ${header.group}`,
      mseq: header.mseq,
      aseq: 0,
    })
  }
  if (end === 0 || envelope.end !== end) {
    findings.push({
      reason: `the archive says that it ends at ${envelope.end}, its last segment at ${end}`,
      mseq: Math.min(end, envelope.end),
      aseq: null,
    })
  }
  return findings
}

/** Heads chain, so one that is equal makes all before it equal; null: there is nothing to compare. */
function checkAgainst(archive: Archive, against: readonly { first: number; head: string }[]): Finding[] | null {
  const other = new Map(against.map((h) => [h.first, h.head]))
  const common = archive.log.heads.filter((h) => other.has(h.first))
  if (common.length === 0) return null
  const differs = common.find((h) => other.get(h.first) !== h.head)
  if (!differs) return []
  const { first, last } = differs
  return [{ reason: `the segment ${first}..${last} is not the one that the other side has`, mseq: first, aseq: null }]
}
