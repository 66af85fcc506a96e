import { beforeAll, describe, expect, test } from 'bun:test'
import { unzipSync } from 'fflate'
import { envelopeOf, type Files, linesOf, openArchive, packArchive, resign, setLines } from '../../testing/forgery.ts'
import { EUR, OTHER, Story, tellStory, USD } from '../../testing/proof-story.ts'
import { SIGNED_AT, testKey } from '../../testing/proof-world.ts'
import type { JournalRecord } from '../engine/types.ts'
import { canonical } from '../journal/canonical.ts'
import { sha256Hex } from '../journal/hash.ts'
import type { Receipt } from '../journal/receipt.ts'
import type { Envelope, LeafLine } from './archive.ts'
import { explain, parsePlace } from './explain.ts'
import { headsOf } from './leaves.ts'
import { readArchive } from './read-archive.ts'
import { streamFile } from './stream-file.ts'
import { type Verified, type VerifyOptions, verifyProof } from './verify.ts'

const signer = testKey(1)
const keys = [signer.key]
let story: Story
let proof: Uint8Array
beforeAll(async () => {
  story = tellStory()
  proof = await story.proof()
})
const verify = (bytes: Uint8Array, options: Partial<VerifyOptions> = {}): Promise<Verified> =>
  verifyProof(bytes, { keys, ...options })
async function damaged(change: (files: Files) => void, options: Partial<VerifyOptions> = {}): Promise<Verified> {
  const files = openArchive(proof)
  change(files)
  return verify(packArchive(files), options)
}

describe('a whole archive', () => {
  test('follows: exit 0 with its verdict', async () => {
    const { exit, summary, reason } = await verify(proof)
    expect([exit, reason]).toEqual([0, 'every record follows from the log and the commands'])
    expect(summary).toMatchObject({
      verdict: 'failed',
      records: story.records.length,
      hash: story.envelope().at(-1)!.hash,
    })
  })
  test('holds every kind of record and of tick that can be damaged below', () => {
    expect([...new Set(story.records.map((r) => r.kind))].sort()).toEqual([
      'checkpoint',
      'command',
      'day',
      'fill',
      'floor',
      'header',
      'order',
      'phase',
      'sealed',
      'verdict',
      'violation',
    ])
    expect(story.records.filter((r) => r.kind === 'command' && !r.answer.ok)).toHaveLength(1)
  })
  test('is the same bytes for the same run', async () => {
    expect(await tellStory().proof()).toEqual(proof)
  })
  test('carries nothing of other symbols but what records stand on', () => {
    const cited = new Set(story.records.map((r) => r.mseq))
    const others = linesOf(openArchive(proof), streamFile(OTHER)).map((l) => (JSON.parse(l) as LeafLine).e.mseq)
    expect(others.every((mseq) => cited.has(mseq) || cited.has(mseq - 1))).toBe(true)
  })
  test('is verified the same when the segments are cited and supplied', async () => {
    const kept = new Map<string, Uint8Array>()
    const cited = await story.proof({ maxLogBytes: 10_000, keep: async (head, file) => void kept.set(head, file) })
    expect(cited.length).toBeLessThan(proof.length)
    expect((await verify(cited, { segments: async (head) => kept.get(head) ?? null })).exit).toBe(0)
    expect((await verify(cited)).exit).toBe(2)
    const [head, file] = [...kept][3]!
    const other = [...kept].find(([h]) => h !== head)![1]
    expect((await verify(cited, { segments: async (h) => (h === head ? other : (kept.get(h) ?? null)) })).exit).toBe(1)
    expect(
      (await verify(cited, { segments: async (h) => (h === head ? file.subarray(0, 20) : (kept.get(h) ?? null)) }))
        .exit,
    ).toBe(2)
  })
  test('of a running assessment goes up to the last sealed segment', async () => {
    const s = new Story()
    s.rounds(3)
    s.command({ op: 'create' })
    s.command({ op: 'start' })
    s.rounds(1)
    s.order('buy', '20000')
    s.rounds(7)
    const { exit, summary } = await verify(await s.proof())
    expect([exit, summary?.verdict, summary?.end]).toEqual([0, 'open', s.heads.at(-1)!.last])
  })
  test('of a symbol that never had a quote shows that it had none', async () => {
    const s = new Story()
    s.say({ kind: 'clock' })
    s.command({ op: 'create' })
    s.command({ op: 'start' })
    s.order('buy', '20000')
    s.wait(60_000).usdQuote(0)
    s.order('buy', '20000')
    s.wait(60_000).eurQuote(0)
    s.order('buy', '20000')
    s.seal()
    expect(s.answers.slice(2).map((a) => a.ok)).toEqual([false, false, true])
    expect(await verify(await s.proof())).toMatchObject({ exit: 0 })
  })
})

describe('explain', () => {
  const told = async () => {
    const archive = await readArchive(proof)
    const events = archive.log.events().map((l) => l.event)
    return {
      archive,
      ask: (at?: string) =>
        explain(
          {
            compiled: story.compiled,
            assessment: story.assessment,
            records: archive.records,
            segments: archive.log.segments,
          },
          parsePlace(at, archive.records),
          events,
        ),
    }
  }
  test('says why it failed: marks, equity line by line that sums to the recorded value, floors', async () => {
    const { ask } = await told()
    const why = await ask()
    expect(why.verdict!.verdict).toBe('failed')
    expect(why.equity.total).toBe(why.violation!.equity)
    expect(why.marks.map((m) => m.symbol)).toEqual([EUR, USD])
    expect(why.marks.map((m) => m.mseq)).toEqual(why.violation!.marks.map((m) => m.mseq))
    const daily = why.rules.find((r) => r.rule === 'max_daily_loss')!
    expect([daily.floor, daily.value, daily.crossed]).toEqual([why.violation!.limit, why.violation!.value, true])
    expect(why.equity.lines[0]!.text).toContain('(bid of m')
  })
  test('tells any place: a record, an event, an instant', async () => {
    const { archive, ask } = await told()
    const fill = archive.records.find((r) => r.kind === 'fill')!
    const byRecord = await ask(String(fill.aseq))
    expect(byRecord.equity.lines).toHaveLength(1)
    const byEvent = await ask(`m${fill.mseq}`)
    expect(byEvent.equity.total).toBe(byRecord.equity.total)
    expect((await ask(new Date(fill.mts).toISOString())).at.mseq).toBe(fill.mseq)
    expect(ask('m1')).rejects.toThrow('begins at')
    expect(() => parsePlace('yesterday', archive.records)).toThrow(RangeError)
  })
})

describe('signatures and receipts', () => {
  test('everything signed again with another key: exit 1 at the first signature', async () => {
    const result = await damaged((files) => {
      resign(files, testKey(9))
      const envelope = envelopeOf(files)
      files.set('envelope.json', canonical({ ...envelope, keys: [testKey(9).key] }))
    })
    expect(result).toMatchObject({ exit: 1, at: { aseq: envelopeOf(openArchive(proof)).receipts[0]!.aseq } })
    expect(result.reason).toContain('not trusted')
  })
  test('the same under the name of the trusted key', async () => {
    const result = await damaged((files) => resign(files, { ...testKey(9), kid: signer.kid }))
    expect([result.exit, result.reason.includes('does not hold')]).toEqual([1, true])
  })
  test('no trusted key: exit 2, never 0 because the archive carries one', async () => {
    expect(await verify(proof, { keys: [] })).toMatchObject({ exit: 2 })
  })
  test('a key outside its validity at signing: exit 1', async () => {
    expect((await verify(proof, { keys: [{ ...signer.key, valid_to: SIGNED_AT - 1 }] })).exit).toBe(1)
  })
  test('a signature that is left out is missed', async () => {
    for (const kind of ['verdict', 'checkpoint', 'order'] as const) {
      const aseq =
        kind === 'order'
          ? story.records.find((r) => r.kind === 'order')!.aseq
          : story.records.find((r) => r.kind === kind)!.aseq
      const result = await damaged((files) => {
        const envelope = envelopeOf(files)
        files.set(
          'envelope.json',
          canonical({ ...envelope, receipts: envelope.receipts.filter((r) => r.aseq !== aseq) }),
        )
      })
      expect(result.exit).toBe(1)
    }
  })
  test('rewritten history with true signatures does not hold the receipt that a trader kept', async () => {
    const order = story.records.find((r) => r.kind === 'command' && r.command.op === 'order')!.aseq
    const kept: Receipt = story.envelope().find((e, i) => i >= order && e.receipt)!.receipt!
    expect((await verify(proof, { receipt: kept })).exit).toBe(0)
    const other = new Story()
    other.rounds(3)
    other.command({ op: 'create' })
    other.command({ op: 'start' })
    other.rounds(2)
    other.order('buy', '19000', { client_order_id: 'first' })
    other.rounds(3)
    other.seal()
    const rewritten = await other.proof()
    expect((await verify(rewritten)).exit).toBe(0)
    expect(await verify(rewritten, { receipt: kept })).toMatchObject({ exit: 1, at: { aseq: kept.aseq } })
    expect((await verify(proof, { receipt: { ...kept, hash: sha256Hex('other') } })).exit).toBe(1)
  })
  test('another log of the same mseq is found against the heads of this one', async () => {
    const heads = headsOf(envelopeOf(openArchive(proof)).log)
    expect((await verify(proof, { against: heads })).exit).toBe(0)
    expect((await verify(proof, { against: [{ first: 1_000_000, head: sha256Hex('x') }] })).exit).toBe(2)
    const other = heads.map((h, i) => (i === 4 ? { ...h, head: sha256Hex('x') } : h))
    expect(await verify(proof, { against: other })).toMatchObject({ exit: 1, at: { mseq: heads[4]!.first } })
  })
})

describe('parts', () => {
  test('a truncated container can not be told: exit 2', async () => {
    for (const share of [0, 0.3, 0.9, 0.999])
      expect((await verify(proof.subarray(0, Math.floor(proof.length * share)))).exit).toBe(2)
  })
  test('a missing part: exit 2', async () => {
    for (const name of ['journal.jsonl', 'envelope.json'])
      expect((await damaged((files) => files.delete(name))).exit).toBe(2)
    expect((await damaged((files) => files.delete([...files.keys()].find((n) => n.startsWith('docs/'))!))).exit).toBe(2)
  })
  test('a part that does not belong: exit 2', async () => {
    expect((await damaged((files) => files.set('extra.txt', ''))).exit).toBe(2)
  })
  test('a document that was changed or added: exit 1', async () => {
    const name = [...openArchive(proof).keys()].find((n) => n.startsWith('docs/'))!
    expect((await damaged((files) => files.set(name, `${files.get(name)} `))).exit).toBe(1)
    expect((await damaged((files) => files.set(`docs/${'ab'.repeat(32)}.json`, '{}'))).exit).toBe(1)
  })
  test('a segment head that was changed: exit 1 at a record that cites one after it', async () => {
    const result = await damaged((files) => {
      const envelope = envelopeOf(files)
      envelope.log.segments[2]!.groups[OTHER] = [1, sha256Hex('x')]
      files.set('envelope.json', canonical(envelope))
    })
    expect(result.exit).toBe(1)
  })
  test('an engine version that is not known: exit 2', async () => {
    const result = await damaged((files) => {
      const records = linesOf(files, 'journal.jsonl').map((l) => JSON.parse(l))
      resign(files, signer, [{ ...records[0], engine: 99 }, ...records.slice(1)])
    })
    expect(result).toMatchObject({ exit: 2 })
  })
  test('an archive that says another end, group, name or command number: exit 1', async () => {
    const envelopes: ((e: Envelope) => Envelope)[] = [
      (e) => ({ ...e, end: e.end + 1 }),
      (e) => ({ ...e, end: e.end - 1 }),
      (e) => ({ ...e, assessment: 'another' }),
      (e) => ({ ...e, log: { ...e.log, group: 'another' } }),
      (e) => ({ ...e, log: { ...e.log, segments: [] } }),
    ]
    for (const change of envelopes) {
      expect((await damaged((files) => files.set('envelope.json', canonical(change(envelopeOf(files)))))).exit).toBe(1)
    }
    const renumbered = await damaged((files) => {
      const records = linesOf(files, 'journal.jsonl').map((l) => JSON.parse(l) as JournalRecord)
      resign(
        files,
        signer,
        records.map((r) => (r.cseq > 2 ? { ...r, cseq: r.cseq + 1 } : r)),
      )
    })
    expect([renumbered.exit, renumbered.reason]).toEqual([1, 'command 4 stands where 3 should'])
  })
  test('nonsense in any line is an answer, never a crash', async () => {
    const nonsense = [
      'null',
      '{}',
      '[]',
      '"x"',
      '1',
      '{"aseq":0,"cseq":0,"kind":"command","mseq":0,"mts":0}',
      '{"e":{"kind":"x","mseq":1,"mts":1},"h":"","i":0,"p":[0,0,0]}',
    ]
    const names = ['journal.jsonl', streamFile(EUR), streamFile('group')]
    for (const [i, line] of nonsense.entries()) {
      for (const name of names) {
        const result = await damaged((files) => {
          const lines = linesOf(files, name)
          setLines(files, name, lines.with((i * 7) % lines.length, line))
        })
        expect(result.exit).toBe(1)
      }
      expect((await damaged((files) => files.set('envelope.json', line))).exit).toBe(2)
    }
  })
  test('a byte flipped anywhere in the file is never exit 0, unless it changed nothing that is packed', async () => {
    for (let i = 0; i < 60; i++) {
      const bytes = Uint8Array.from(proof)
      bytes[Math.floor((i / 60) * bytes.length)]! ^= 1 << (i % 8)
      // the bits that pad the end of a deflated entry to a whole byte carry nothing
      if ((await verify(bytes)).exit === 0) expect(unzipSync(bytes)).toEqual(unzipSync(proof))
    }
  })
})
