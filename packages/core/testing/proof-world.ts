import { type Compiled, compileSpec } from '../domain/engine/compile.ts'
import { Replay } from '../domain/engine/replay.ts'
import type { AccountSpec, Answer, Command, JournalRecord } from '../domain/engine/types.ts'
import { chain, GENESIS } from '../domain/journal/chain.ts'
import { type JournalKey, kidOf, publicKeyOf, signWith } from '../domain/journal/keys.ts'
import { issueReceipts, type Receipt } from '../domain/journal/receipt.ts'
import type { MarketEvent, Tick } from '../domain/market/event.ts'
import { buildProof, type ProofInput, type RecordEnvelope } from '../domain/proof/build.ts'
import type { LogSource } from '../domain/proof/collect.ts'
import { documentsOf } from '../domain/proof/documents.ts'
import { SegmentBuilder, type SegmentHead, sortMembers } from '../domain/proof/segment.ts'
import { Carry } from '../ports/marketlog/carry.ts'

export const SIGNED_AT = Date.UTC(2026, 0, 1)
/** A journal key whose secret is one repeated byte. */
export function testKey(
  byte: number,
  more: Partial<JournalKey> = {},
): { key: JournalKey; sign: (text: string) => string; kid: string } {
  const secret = new Uint8Array(32).fill(byte)
  const public_key = publicKeyOf(secret)
  const kid = kidOf(public_key)
  const key: JournalKey = {
    kid,
    alg: 'Ed25519',
    public_key,
    valid_from: 0,
    valid_to: null,
    signed_by: null,
    signature: null,
    ...more,
  }
  return { key, kid, sign: (text) => signWith(secret, text) }
}

/** One account over a sequenced, segmented log: what a proof is made from, without service or database. */
export class ProofWorld {
  readonly assessment = 'assessment-1'
  readonly events: MarketEvent[] = []
  readonly heads: SegmentHead[] = []
  readonly records: JournalRecord[] = []
  readonly answers: Answer[] = []
  /** records of each input that wrote any: what one receipt covers */
  private readonly commits: JournalRecord[][] = []
  private readonly builder = new SegmentBuilder()
  readonly replay: Replay
  readonly compiled: Compiled
  readonly documents: ReturnType<typeof documentsOf>
  private cseq = 0

  constructor(readonly spec: AccountSpec) {
    this.compiled = compileSpec(spec)
    this.documents = documentsOf(spec)
    this.replay = new Replay(undefined, (_, { records }) => {
      this.records.push(...records)
      if (records.length > 0) this.commits.push(records)
    })
    this.replay.add(this.assessment, this.compiled)
  }
  get state() {
    return this.replay.accounts.get(this.assessment)!.state
  }

  tick(mts: number, tick: Record<string, unknown> & Partial<Tick>): void {
    const mseq = this.events.length + 1
    const event = sortMembers({
      ts: mts,
      pos: mseq,
      ...(tick.kind === 'clock' || tick.kind === 'gap' ? {} : { venue: 'test' }),
      ...tick,
      mseq,
      mts,
    }) as unknown as MarketEvent
    const ended = this.builder.endsBefore(event) ? this.builder.seal() : null
    if (ended) this.end(ended)
    this.builder.add(event)
    this.events.push(event)
    this.replay.event(event)
  }
  command(command: Command): Answer {
    this.cseq += 1
    const { answer } = this.replay.command(
      this.assessment,
      command,
      this.cseq,
      command.op === 'create' ? this.documents.cited : undefined,
    )
    this.answers.push(answer!)
    return answer!
  }
  /** Closes the last segment, as a lockstep run does at its end. */
  seal(): void {
    const head = this.builder.seal()
    if (head) this.end(head)
  }
  private end(head: SegmentHead): void {
    this.heads.push(head)
    this.replay.segment(head.head, head.last)
  }

  log(): LogSource {
    const { events, heads } = this
    return {
      segments: async (from, to) => heads.filter((h) => h.first <= to && h.last >= from),
      carry: async (mseq) => {
        const head = heads.find((h) => h.last >= mseq)
        const from = head?.first ?? (heads.at(-1)?.last ?? 0) + 1
        const before = new Carry(events.slice(0, from - 1))
        return { from, events: before.events(), prev: head?.prev ?? '' }
      },
      read: async function* (from, to) {
        for (let at = from; at <= to; at += 500) yield events.slice(at - 1, Math.min(at + 499, to))
      },
    }
  }

  /** Chain hashes and receipts of `records`, as a committer would give them. */
  envelope(signer = testKey(1), records: readonly JournalRecord[] = this.records): RecordEnvelope[] {
    const hashes = chain(GENESIS, records)
    const receipts = new Map<number, Receipt>()
    const lasts = new Set(this.commits.map((commit) => commit.at(-1)!.aseq))
    for (const record of records) {
      if (record.kind !== 'verdict' && record.kind !== 'checkpoint' && !lasts.has(record.aseq)) continue
      const link = { assessment: this.assessment, aseq: record.aseq, hash: hashes[record.aseq]! }
      receipts.set(record.aseq, issueReceipts([link], signer, SIGNED_AT)[0]!)
    }
    return records.map((record) => ({
      hash: hashes[record.aseq]!,
      at: SIGNED_AT,
      request: `request-${record.aseq}`,
      receipt: receipts.get(record.aseq) ?? null,
    }))
  }
  proof(more: Partial<ProofInput> = {}): Promise<Uint8Array> {
    return buildProof({
      assessment: this.assessment,
      ids: { tier: 'test' },
      records: this.records,
      envelope: this.envelope(),
      documents: this.documents.texts,
      keys: [testKey(1).key],
      group: 'main',
      log: this.log(),
      ...more,
    })
  }
}
