import type { EncodedState } from '@assay/core/domain/engine/stored-state'
import { canonical } from '@assay/core/domain/journal/canonical'
import type { Sha256 } from '@assay/core/domain/journal/hash'
import { issueReceipts, type Link, type Receipt } from '@assay/core/domain/journal/receipt'
import { eventsOf, type OutboxEvent } from './outbox.ts'
import type { AccountCommit, ChainEnd } from './types.ts'

/** Ed25519 over the UTF-8 of a text, hex. */
export interface Signer {
  kid: string
  sign: (text: string) => string
}
export interface SealedRecord {
  text: string
  hash: string
  receipt: Receipt | null
}
/** A commit with its bytes: canonical records, chain, receipts, hash of the state. */
export interface SealedCommit {
  commit: AccountCommit
  records: SealedRecord[]
  events: OutboxEvent[]
  end: ChainEnd
  state: StateText
  /** of the command: one for it and its fills */
  receipt: Receipt | null
  /** wall clock, ms */
  at: number
}

/** The runtime's own SHA-256, same bytes as the portable one. */
export const sha256Native: Sha256 = (data) => new Bun.CryptoHasher('sha256').update(data).digest()
export const sha256Text = (text: string): string => new Bun.CryptoHasher('sha256').update(text).digest('hex')
/** What decides, without the place it is settled to: the text that is stored, and its hash (`stateHash` of the pure engine). */
export interface StateText {
  text: string
  hash: string
}
export function writeState(state: EncodedState): StateText {
  const { account: _account, mseq: _mseq, mts: _mts, ...deciding } = state
  const text = canonical(deciding)
  return { text, hash: sha256Text(text) }
}
const SIGNED = new Set(['verdict', 'checkpoint'])

/** Writes the bytes of a batch: one signature over the Merkle root of all its links. */
export function sealBatch(batch: readonly AccountCommit[], signer: Signer, at: number): SealedCommit[] {
  const links: Link[] = []
  const sealed = batch.map((commit): SealedCommit => {
    let hash = commit.before.hash
    const records = commit.records.map((record, i): SealedRecord => {
      const text = commit.texts?.[i] ?? canonical(record)
      hash = sha256Text(hash + text)
      if (SIGNED.has(record.kind)) links.push({ assessment: commit.account, aseq: record.aseq, hash })
      return { text, hash, receipt: null }
    })
    const last = commit.records.at(-1)!
    if (!SIGNED.has(last.kind)) links.push({ assessment: commit.account, aseq: last.aseq, hash })
    const events = eventsOf(commit.account, commit.records)
    const end = { aseq: last.aseq + 1, hash, events: commit.before.events + events.length }
    const { text } = commit.state
    return { commit, records, events, end, state: { text, hash: sha256Text(text) }, receipt: null, at }
  })
  const receipts = issueReceipts(links, signer, at, sha256Native)
  let next = 0
  for (const s of sealed) {
    const first = s.commit.records[0]!.aseq
    for (; next < receipts.length && receipts[next]!.assessment === s.commit.account; next++) {
      s.records[receipts[next]!.aseq - first]!.receipt = receipts[next]!
    }
    if (s.commit.command) s.receipt = s.records.at(-1)!.receipt
  }
  return sealed
}
