/** A proof archive taken apart, changed and packed again; its chain and signatures made anew where the forger can. */
import type { JournalRecord } from '../domain/engine/types.ts'
import { canonical } from '../domain/journal/canonical.ts'
import { chain, GENESIS } from '../domain/journal/chain.ts'
import { issueReceipts } from '../domain/journal/receipt.ts'
import { ENVELOPE_FILE, type Envelope, envelopeSchema, JOURNAL_FILE } from '../domain/proof/archive.ts'
import { type EntryWriter, pack, unpack } from '../domain/proof/container.ts'
import { SIGNED_AT, testKey } from './proof-world.ts'

export type Files = Map<string, string>
export const openArchive = (bytes: Uint8Array): Files =>
  new Map([...unpack(bytes).files].map(([name, b]) => [name, new TextDecoder().decode(b)]))
export const packArchive = (files: Files): Uint8Array => pack(files as Map<string, EntryWriter | string>)
export const linesOf = (files: Files, name: string): string[] => (files.get(name) ?? '').split('\n').slice(0, -1)
export const setLines = (files: Files, name: string, lines: readonly string[]): void =>
  void files.set(name, lines.map((l) => `${l}\n`).join(''))
export const recordsOf = (files: Files): JournalRecord[] => linesOf(files, JOURNAL_FILE).map((l) => JSON.parse(l))
export const envelopeOf = (files: Files): Envelope => envelopeSchema.parse(JSON.parse(files.get(ENVELOPE_FILE)!))

/** The chain and every signature made anew, by a forger with his own key or by an operator with the true one. */
export function resign(files: Files, by = testKey(1), records = recordsOf(files)): void {
  setLines(
    files,
    JOURNAL_FILE,
    records.map((r) => canonical(r)),
  )
  const hashes = chain(GENESIS, records)
  const envelope = envelopeOf(files)
  const was = new Set(envelope.receipts.map((r) => r.aseq))
  envelope.records = records.map((_, i) => [hashes[i]!, SIGNED_AT, null])
  envelope.receipts = records.flatMap((r) =>
    was.has(r.aseq)
      ? issueReceipts([{ assessment: envelope.assessment, aseq: r.aseq, hash: hashes[r.aseq]! }], by, SIGNED_AT)
      : [],
  )
  files.set(ENVELOPE_FILE, canonical(envelope))
}
