import { beforeAll, describe, expect, test } from 'bun:test'
import { unzipSync } from 'fflate'
import { envelopeOf, type Files, linesOf, openArchive, packArchive, resign, setLines } from '../../testing/forgery.ts'
import { ProofWorld, SIGNED_AT, testKey } from '../../testing/proof-world.ts'
import { instrument, spec } from '../../testing/world.ts'
import type { JournalRecord, Rule } from '../engine/types.ts'
import { canonical } from '../journal/canonical.ts'
import { sha256Hex } from '../journal/hash.ts'
import type { Receipt } from '../journal/receipt.ts'
import type { Envelope, LeafLine } from './archive.ts'
import { explain, parsePlace } from './explain.ts'
import { headsOf } from './leaves.ts'
import { portableHash } from './merkle.ts'
import { readArchive } from './read-archive.ts'
import { leafData } from './segment.ts'
import { streamFile } from './stream-file.ts'
import { type Verified, type VerifyOptions, verifyProof } from './verify.ts'

// ---- a world with every kind of record and tick ----------------------------------------------------------------
const START = Date.parse('2024-03-29T20:00:00Z')
const EUR = 'EUR/JPY'
const USD = 'USD/JPY'
const OTHER = 'XXX/USD'
const RULES: Rule[] = [
  {
    rule: 'max_loss',
    mode: 'static',
    limit: { pct: '10' },
    lock: null,
    metric: 'equity',
    compare: 'lt',
    effect: 'hard',
  },
  {
    rule: 'max_daily_loss',
    anchor: 'day_high',
    limit: { amount: '300' },
    metric: 'equity',
    compare: 'lt',
    tested: 'always',
    effect: 'hard',
  },
  { rule: 'profit_target', amount: '50', basis: 'balance', require_flat: true, sticky: false, effect: 'gate' },
  { rule: 'min_trading_days', n: 9, counts: 'opened', effect: 'gate' },
]
const jpy = (value: number): string => value.toFixed(3)

class Story extends ProofWorld {
  private at = START
  private eur = 160
  private usd = 150
  constructor() {
    const traded = instrument(EUR, {
      price_tick: '0.001',
      commission: { bps: '4' },
      conversions: { USD: [{ symbol: USD, direct: false }] },
    })
    super(spec(RULES, { instruments: [traded, instrument(OTHER), instrument(USD, { price_tick: '0.001' })] }))
  }
  wait(ms: number): this {
    this.at += ms
    return this
  }
  eurQuote(move: number): this {
    this.eur += move
    this.tick(this.at, {
      kind: 'quote',
      symbol: EUR,
      bid: jpy(this.eur),
      ask: jpy(this.eur + 0.005),
      bid_size: '100000',
      ask_size: '50000',
    })
    return this
  }
  usdQuote(move: number): this {
    this.usd += move
    this.tick(this.at, { kind: 'quote', symbol: USD, bid: jpy(this.usd), ask: jpy(this.usd + 0.02) })
    return this
  }
  say(tick: Record<string, unknown>): this {
    this.tick(this.at, tick)
    return this
  }
  round(): void {
    this.wait(9_000).eurQuote(0.2)
    this.wait(2_000).usdQuote(-0.03)
    this.wait(2_000).say({ kind: 'trade', symbol: EUR, price: jpy(this.eur), size: '100', side: 'buy' })
    this.wait(2_000).say({
      kind: 'levels',
      symbol: EUR,
      bids: [[jpy(this.eur - 0.01), '1000']],
      asks: [[jpy(this.eur + 0.02), '2000']],
    })
    this.wait(2_000).say({ kind: 'quote', symbol: OTHER, bid: '1', ask: '1.01' })
    this.wait(2_000).say({ kind: 'symbol_state', symbol: EUR, state: 'open' })
    this.wait(2_000).say({ kind: 'source_changed', symbol: EUR, from: 'a', reason: 'test' })
    this.wait(2_000).say({ kind: 'clock' })
    this.wait(2_000).say({ kind: 'gap', symbols: [OTHER], reason: 'test' })
    this.wait(2_000).eurQuote(-0.17)
    this.wait(2_000).say({
      kind: 'trade',
      symbol: EUR,
      price: jpy(this.eur),
      size: '10',
      side: 'sell',
      bid: jpy(this.eur),
      ask: jpy(this.eur + 0.005),
    })
  }
  rounds(n: number): this {
    for (let i = 0; i < n; i++) this.round()
    return this
  }
  order(side: 'buy' | 'sell', quantity: string, more: Record<string, string> = {}): void {
    this.command({ op: 'order', symbol: EUR, side, type: more.price ? 'limit' : 'market', quantity, ...more } as never)
  }
}

function tell(): Story {
  const s = new Story()
  s.rounds(3)
  s.command({ op: 'create' })
  s.command({ op: 'start' })
  s.rounds(2)
  s.order('buy', '20000', { client_order_id: 'first' })
  s.rounds(3)
  s.order('sell', '5000', { price: '170' })
  s.rounds(2)
  s.command({ op: 'cancel_all' })
  s.order('buy', '0')
  s.order('sell', '20000')
  s.rounds(4)
  s.order('buy', '10000')
  // two hours with a position, over a reset, with a lost feed
  for (let i = 0; i < 16; i++) s.wait(700_000).rounds(1)
  s.wait(60_000).say({ kind: 'gap', symbols: [EUR, USD], reason: 'feed lost' })
  s.wait(1_000).usdQuote(0)
  s.rounds(2)
  s.wait(1_000).eurQuote(-9)
  s.rounds(2)
  s.seal()
  return s
}

// ---- damaging an archive ---------------------------------------------------------------------------------------
const signer = testKey(1)
const keys = [signer.key]
let story: Story
let proof: Uint8Array
beforeAll(async () => {
  story = tell()
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
    expect(await tell().proof()).toEqual(proof)
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
