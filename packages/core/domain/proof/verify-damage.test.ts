import { beforeAll, describe, expect, test } from 'bun:test'
import { type Files, linesOf, openArchive, packArchive, resign, setLines } from '../../testing/forgery.ts'
import { EUR, type Story, tellStory, USD } from '../../testing/proof-story.ts'
import { testKey } from '../../testing/proof-world.ts'
import type { JournalRecord } from '../engine/types.ts'
import { canonical } from '../journal/canonical.ts'
import type { LeafLine } from './archive.ts'
import { explain, parsePlace } from './explain.ts'
import { portableHash } from './merkle.ts'
import { readArchive } from './read-archive.ts'
import { leafData } from './segment.ts'
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

describe('records', () => {
  const kinds: JournalRecord['kind'][] = [
    'header',
    'command',
    'phase',
    'floor',
    'fill',
    'order',
    'checkpoint',
    'day',
    'violation',
    'verdict',
    'sealed',
  ]
  const at = (kind: string): number => story.records.findLastIndex((r) => r.kind === kind)
  const places = kinds.map((kind) => [kind] as const)

  test.each(places)('a flipped %s is found where it stands', async (kind) => {
    const aseq = at(kind)
    const result = await damaged((files) => {
      const lines = linesOf(files, 'journal.jsonl')
      const record = JSON.parse(lines[aseq]!)
      lines[aseq] = canonical({ ...record, mts: record.mts + 1 })
      setLines(files, 'journal.jsonl', lines)
    })
    expect([result.exit, result.at?.aseq]).toEqual([1, aseq])
  })
  test.each(places)('a flipped %s is found although chain and signatures were made anew', async (kind) => {
    const aseq = at(kind)
    const result = await damaged((files) => {
      const records = linesOf(files, 'journal.jsonl').map((l) => JSON.parse(l))
      records[aseq].mts += 1
      resign(files, signer, records)
    })
    expect([result.exit, result.at?.aseq]).toEqual([1, aseq])
  })
  test.each(places)('a dropped %s is found', async (kind) => {
    const aseq = at(kind)
    const result = await damaged((files) =>
      setLines(files, 'journal.jsonl', linesOf(files, 'journal.jsonl').toSpliced(aseq, 1)),
    )
    expect([result.exit, result.at?.aseq]).toEqual([1, aseq])
  })
  test.each(places.filter(([kind]) => kind !== 'header'))(
    'a dropped %s is found although the rest was renumbered and signed anew',
    async (kind) => {
      const aseq = at(kind)
      const result = await damaged((files) => {
        const records = linesOf(files, 'journal.jsonl').map((l) => JSON.parse(l) as JournalRecord)
        resign(
          files,
          signer,
          records.toSpliced(aseq, 1).map((r, i) => ({ ...r, aseq: i })),
        )
      })
      expect(result.exit).toBe(kind === 'sealed' ? 0 : 1)
      // without its last record the chain is that of a moment before: a running one
      if (kind !== 'sealed') expect(result.at!.aseq).toBeLessThanOrEqual(aseq + 1)
    },
  )
  test.each(places)('an added %s is found', async (kind) => {
    const aseq = at(kind)
    const result = await damaged((files) => {
      const lines = linesOf(files, 'journal.jsonl')
      setLines(files, 'journal.jsonl', lines.toSpliced(aseq + 1, 0, lines[aseq]!))
    })
    expect([result.exit, result.at?.aseq]).toEqual([1, aseq + 1])
  })
  test.each(places.slice(0, -1))('a %s swapped with the next is found', async (kind) => {
    const aseq = at(kind)
    const result = await damaged((files) => {
      const lines = linesOf(files, 'journal.jsonl')
      setLines(files, 'journal.jsonl', lines.with(aseq, lines[aseq + 1]!).with(aseq + 1, lines[aseq]!))
    })
    expect([result.exit, result.at?.aseq]).toEqual([1, aseq])
  })
  test('a journal cut anywhere is found', async () => {
    for (const share of [0.2, 0.5, 0.99]) {
      const result = await damaged((files) => {
        const text = files.get('journal.jsonl')!
        files.set('journal.jsonl', text.slice(0, Math.floor(text.length * share)))
      })
      expect(result.exit).toBe(1)
      expect(result.at!.aseq).toBeGreaterThan(0)
    }
  })
})

describe('ticks', () => {
  const kinds = ['quote', 'trade', 'levels', 'symbol_state', 'source_changed', 'clock', 'gap'] as const
  /** a tick of this kind in the middle of a span of exposure */
  function pick(kind: string, symbol?: string): { file: string; line: number; mseq: number } {
    const from = story.records.findLast((r) => r.kind === 'fill' && r.position.quantity !== '0')!.mseq + 20
    const event = story.events.find(
      (e) =>
        e.mseq > from &&
        e.kind === kind &&
        (symbol ? 'symbol' in e && e.symbol === symbol : !('symbol' in e) || e.symbol === EUR),
    )!
    const file = streamFile('symbol' in event ? event.symbol : 'group')
    const line = linesOf(openArchive(proof), file).findIndex((l) => (JSON.parse(l) as LeafLine).e.mseq === event.mseq)
    return { file, line, mseq: event.mseq }
  }
  const cases = [...kinds.map((k) => [k, undefined] as const), ['quote', USD] as const]

  test.each(cases)('a flipped %s %s is found where it stands', async (kind, symbol) => {
    const { file, line, mseq } = pick(kind, symbol)
    const result = await damaged((files) => {
      const lines = linesOf(files, file)
      const leaf = JSON.parse(lines[line]!)
      setLines(files, file, lines.with(line, canonical({ ...leaf, e: { ...leaf.e, ts: leaf.e.ts + 1 } })))
    })
    expect([result.exit, result.at?.mseq]).toEqual([1, mseq])
  })
  test.each(cases)('a flipped %s %s with its mark made anew is found in its segment', async (kind, symbol) => {
    const { file, line, mseq } = pick(kind, symbol)
    const result = await damaged((files) => {
      const lines = linesOf(files, file)
      const leaf = JSON.parse(lines[line]!)
      leaf.e.ts += 1
      leaf.h = Buffer.from(portableHash.leaf(leafData(canonical(leaf.e), leaf.p)).subarray(0, 4)).toString('hex')
      setLines(files, file, lines.with(line, canonical(leaf)))
    })
    const segment = story.heads.find((h) => h.last >= mseq)!
    expect(result.exit).toBe(1)
    expect(result.at!.mseq).toBeGreaterThanOrEqual(segment.first)
    expect(result.at!.mseq).toBeLessThanOrEqual(segment.last)
  })
  test.each(cases)('a dropped %s %s is found', async (kind, symbol) => {
    const { file, line, mseq } = pick(kind, symbol)
    const result = await damaged((files) => setLines(files, file, linesOf(files, file).toSpliced(line, 1)))
    expect(result.exit).toBe(1)
    const named = ['quote', 'levels', 'symbol_state'].includes(kind) ? [mseq] : [mseq, result.at!.mseq]
    expect(named).toContain(result.at!.mseq)
    expect(result.at!.mseq).toBeLessThanOrEqual(mseq)
    expect(result.at!.mseq).toBeGreaterThan(mseq - 12)
  })
  test.each(cases)('an added %s %s is found', async (kind, symbol) => {
    const { file, line, mseq } = pick(kind, symbol)
    for (const change of [{}, { mseq: mseq + 1 }]) {
      const result = await damaged((files) => {
        const lines = linesOf(files, file)
        const leaf = JSON.parse(lines[line]!)
        setLines(files, file, lines.toSpliced(line + 1, 0, canonical({ ...leaf, e: { ...leaf.e, ...change } })))
      })
      expect(result.exit).toBe(1)
      expect(Math.abs(result.at!.mseq! - mseq)).toBeLessThanOrEqual(1)
    }
  })
  test.each(cases)('a %s %s swapped with the next of its stream is found', async (kind, symbol) => {
    const { file, line, mseq } = pick(kind, symbol)
    const result = await damaged((files) => {
      const lines = linesOf(files, file)
      setLines(files, file, lines.with(line, lines[line + 1]!).with(line + 1, lines[line]!))
    })
    expect([result.exit, result.at!.mseq! >= mseq]).toEqual([1, true])
  })
  test('a tick that only raised a high-water mark cannot be dropped', async () => {
    const [high] = highWater()
    const file = streamFile(EUR)
    const result = await damaged((files) => {
      setLines(
        files,
        file,
        linesOf(files, file).filter((l) => (JSON.parse(l) as LeafLine).e.mseq !== high),
      )
    })
    expect([result.exit, result.at?.mseq]).toEqual([1, high!])
  })
  test('the newest tick before a command given while flat cannot be dropped, nor the one that shows that it was', async () => {
    const look = story.records.find((r) => r.kind === 'command' && r.command.op === 'order')!.mseq
    for (const symbol of [EUR, USD]) {
      const file = streamFile(symbol)
      const seqs = linesOf(openArchive(proof), file).map((l) => (JSON.parse(l) as LeafLine).e.mseq)
      const newest = seqs.findLastIndex((m) => m <= look)
      for (const line of [newest, newest + 1]) {
        const result = await damaged((files) => setLines(files, file, linesOf(files, file).toSpliced(line, 1)))
        expect([result.exit, result.at!.mseq! <= seqs[line]!]).toEqual([1, true])
      }
    }
  })
  test('the last tick of a stream cannot be dropped', async () => {
    for (const stream of [EUR, USD, 'group']) {
      const result = await damaged((files) =>
        setLines(files, streamFile(stream), linesOf(files, streamFile(stream)).slice(0, -1)),
      )
      expect(result.exit).toBe(1)
    }
  })
  /** mseq of ticks that moved a floor through a high-water mark and nothing else */
  function highWater(): number[] {
    const written = new Set(story.records.map((r) => r.mseq))
    return notes.filter((n) => !written.has(n))
  }
  let notes: number[] = []
  beforeAll(async () => {
    const archive = await readArchive(proof)
    const place = parsePlace(undefined, archive.records)
    const told = {
      compiled: story.compiled,
      assessment: story.assessment,
      records: archive.records,
      segments: archive.log.segments,
    }
    const { floors } = await explain(
      told,
      place,
      archive.log.events().map((l) => l.event),
    )
    notes = floors.filter((f) => f.cause === 'high_water').map((f) => f.mseq)
    expect(notes.length).toBeGreaterThan(3)
  })
})
