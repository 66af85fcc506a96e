import type { JournalRecord } from '../engine/types.ts'
import { type JournalKey, trustedKeys, type VerifySignature } from '../journal/keys.ts'
import { checkReceipt, type Receipt } from '../journal/receipt.ts'
import type { Finding } from './findings.ts'
import type { Archive } from './read-archive.ts'

const SIGNED = new Set(['verdict', 'checkpoint'])

/** A receipt that a trader kept must be of this chain. */
export function checkKept(
  receipt: Receipt,
  assessment: string,
  hashes: readonly string[],
  records: readonly JournalRecord[],
): Finding[] {
  const place = { aseq: receipt.aseq, mseq: records[receipt.aseq]?.mseq ?? null }
  if (receipt.assessment !== assessment)
    return [{ reason: `the receipt is of another assessment, ${receipt.assessment}`, ...place }]
  if (hashes[receipt.aseq] !== receipt.hash)
    return [{ reason: `the receipt of record ${receipt.aseq} is not in the chain`, ...place }]
  return []
}

const WHY = {
  unknown_key: 'is by a key that is not trusted',
  not_valid_then: 'is by a key that was not valid at that time',
  broken: 'does not hold',
} as const

/** Every signature is of this chain, by a key trusted and valid at its time; none that must be there is missing. */
export function checkSignatures(
  archive: Archive,
  hashes: readonly string[],
  options: { keys: readonly JournalKey[]; receipt?: Receipt; verifySignature?: VerifySignature },
): Finding[] {
  const { envelope, records } = archive
  const trusted = trustedKeys(options.keys, envelope.keys)
  const findings: Finding[] = []
  const covered = new Set<number>()
  const all = options.receipt ? [...envelope.receipts, options.receipt] : envelope.receipts
  for (const receipt of all) {
    const place = { aseq: receipt.aseq, mseq: records[receipt.aseq]?.mseq ?? null }
    if (receipt.assessment !== envelope.assessment || hashes[receipt.aseq] !== receipt.hash) {
      findings.push({ reason: `a signature for record ${receipt.aseq} is not of this chain`, ...place })
      continue
    }
    const verdict = checkReceipt(receipt, trusted, options.verifySignature)
    if (verdict === 'valid') covered.add(receipt.aseq)
    else findings.push({ reason: `the signature of record ${receipt.aseq} ${WHY[verdict]}`, ...place })
  }
  return findings.length > 0 ? findings : unsigned(records, covered)
}

/** Verdicts and checkpoints are signed themselves; an order's answer by its receipt, which stands at its last record. */
function unsigned(records: readonly JournalRecord[], covered: ReadonlySet<number>): Finding[] {
  const findings: Finding[] = []
  records.forEach((record, aseq) => {
    if (SIGNED.has(record.kind) && !covered.has(aseq))
      findings.push({ reason: `the ${record.kind} at ${aseq} is not signed`, mseq: record.mseq, aseq })
    if (record.kind !== 'command' || record.command.op !== 'order') return
    for (let i = aseq; i < records.length && (i === aseq || records[i]!.kind !== 'command'); i++)
      if (covered.has(i)) return
    findings.push({ reason: `the answer at ${aseq} has no receipt`, mseq: record.mseq, aseq })
  })
  return findings
}
