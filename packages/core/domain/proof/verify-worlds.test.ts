/** Random accounts that use everything: their proofs follow, and what is damaged in them is found where it stands. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { envelopeOf, type Files, linesOf, openArchive, packArchive, recordsOf, resign } from '../../testing/forgery.ts'
import { type ProofWorld, testKey } from '../../testing/proof-world.ts'
import { randomStory } from '../../testing/random-story.ts'
import type { Calendar } from '../calendars/calendar.ts'
import type { JournalRecord } from '../engine/types.ts'
import { canonical } from '../journal/canonical.ts'
import { sha256Hex } from '../journal/hash.ts'
import { documentFile, type LeafLine } from './archive.ts'
import { streamFile } from './stream-file.ts'
import { type Verified, verifyProof } from './verify.ts'

/** The last ones have a stop-out, fills by prints, an end by time, a pass, a gap before they began. */
const SEEDS = [...Array.from({ length: 18 }, (_, i) => i + 1), 21, 31, 53, 75, 2190]
const EVENTS = 400
interface Told {
  seed: number
  world: ProofWorld
  proof: Uint8Array
}
const told: Told[] = []
const keys = [testKey(1).key]
const recordsOfAll = (): JournalRecord[] => told.flatMap(({ world }) => world.records)

beforeAll(async () => {
  for (const seed of SEEDS) {
    const world = randomStory(seed, EVENTS)
    told.push({ seed, world, proof: await world.proof() })
  }
}, 30_000)

type RecordOf<K extends JournalRecord['kind']> = Extract<JournalRecord, { kind: K }>
/** The last record of its kind that any account wrote, with its proof. */
function find<K extends JournalRecord['kind']>(
  kind: K,
  is: (r: RecordOf<K>) => boolean = () => true,
): { aseq: number; proof: Uint8Array } {
  for (const { world, proof } of told) {
    const found = world.records.findLast((r) => r.kind === kind && is(r as RecordOf<K>))
    if (found) return { aseq: found.aseq, proof }
  }
  throw new Error(`no account wrote a ${kind} like that`)
}
async function forged(proof: Uint8Array, change: (records: JournalRecord[], files: Files) => JournalRecord[]) {
  const files = openArchive(proof)
  resign(files, testKey(1), change(recordsOf(files), files))
  return verifyProof(packArchive(files), { keys })
}
const place = ({ exit, at }: Verified) => [exit, at?.aseq]

test('every honest proof of a random account follows', async () => {
  for (const { seed, proof } of told) {
    const { exit, reason } = await verifyProof(proof, { keys })
    expect([seed, exit, reason]).toEqual([seed, 0, 'every record follows from the log and the commands'])
  }
}, 30_000)
test('together the accounts use every order type, amendments, closes, pauses, carry, locks, stop-outs and settlements', () => {
  const records = recordsOfAll()
  const seen = (values: (string | undefined)[]) => new Set(values.filter((v) => v !== undefined))
  const commands = records.flatMap((r) => (r.kind === 'command' && r.answer.ok ? [r.command] : []))
  const orders = commands.flatMap((c) => (c.op === 'order' ? [c] : []))
  const missing = (want: string[], got: Set<string>) => want.filter((w) => !got.has(w))
  expect(
    missing(
      [
        'carry',
        'checkpoint',
        'day',
        'floor',
        'lock',
        'pause',
        'sealed',
        'stop_out',
        'target',
        'verdict',
        'violation',
        'warning',
      ],
      seen(records.map((r) => r.kind)),
    ),
  ).toEqual([])
  expect(
    missing(
      ['amend', 'cancel', 'cancel_all', 'close', 'create', 'order', 'pause', 'resume', 'start'],
      seen(commands.map((c) => c.op)),
    ),
  ).toEqual([])
  expect(
    missing(['limit', 'market', 'oco', 'stop', 'stop_limit', 'trailing_stop'], seen(orders.map((o) => o.type))),
  ).toEqual([])
  expect(missing(['day', 'fok', 'gtd', 'ioc'], seen(orders.map((o) => o.time_in_force)))).toEqual([])
  expect(orders.some((o) => o.take_profit) && orders.some((o) => o.stop_loss)).toBe(true)
  expect(orders.some((o) => o.position) && orders.some((o) => o.reduce_only) && orders.some((o) => o.post_only)).toBe(
    true,
  )
  expect(
    missing(
      ['amended', 'cancelled', 'expired', 'filled', 'triggered', 'working'],
      seen(records.map((r) => (r.kind === 'order' ? r.status : undefined))),
    ),
  ).toEqual([])
  expect(
    missing(
      ['levels', 'quote', 'settlement', 'slippage', 'trade'],
      seen(records.map((r) => (r.kind === 'fill' ? r.source.kind : undefined))),
    ),
  ).toEqual([])
  expect(
    missing(
      ['close', 'lock', 'settlement', 'stop_out'],
      seen(records.map((r) => (r.kind === 'fill' ? r.order : undefined))),
    ),
  ).toEqual([])
  expect(missing(['funding', 'swap'], seen(records.map((r) => (r.kind === 'carry' ? r.what : undefined))))).toEqual([])
  const specs = told.map(({ world }) => world.spec)
  expect([specs.some((s) => s.queue_model), specs.some((s) => s.latency_ms > 0)]).toEqual([true, true])
  expect(missing(['hedging', 'netting'], seen(specs.map((s) => s.position_mode)))).toEqual([])
})

/** One more at the last digit. */
const raised = (amount: string): string => amount.replace(/\d$/, (d) => String((Number(d) + 1) % 10))

describe('damage, with the chain and every signature made anew, is found where it stands', () => {
  const flips: [string, () => { aseq: number; proof: Uint8Array }, (r: never) => object][] = [
    [
      'booked amount of carry',
      () => find('carry'),
      (r: RecordOf<'carry'>) => ({ booked: { ...r.booked, booked: raised(r.booked.booked) } }),
    ],
    [
      'mark of carry',
      () => find('carry', (r) => r.what === 'funding'),
      (r: RecordOf<'carry'>) => ({ mark: raised(r.mark) }),
    ],
    [
      'posting of carry',
      () => find('carry', (r) => r.postings.length > 0),
      (r: RecordOf<'carry'>) => ({ postings: r.postings.toReversed() }),
    ],
    ['end of a lock', () => find('lock', (r) => r.until !== null), (r: RecordOf<'lock'>) => ({ until: r.until! + 1 })],
    ['value of a warning', () => find('warning'), (r: RecordOf<'warning'>) => ({ value: raised(r.value) })],
    ['fraction of a warning', () => find('warning'), (r: RecordOf<'warning'>) => ({ fraction: raised(r.fraction) })],
    [
      'quantity in an order view',
      () => find('order', (r) => r.status === 'amended'),
      (r: RecordOf<'order'>) => ({ view: { ...r.view, quantity: raised(r.view!.quantity) } }),
    ],
    [
      'stop in an order view',
      () => find('order', (r) => r.view?.stop_price !== undefined),
      (r: RecordOf<'order'>) => ({ view: { ...r.view, stop_price: raised(r.view!.stop_price!) } }),
    ],
    [
      'reason of an expiry',
      () => find('order', (r) => r.status === 'expired'),
      (_: RecordOf<'order'>) => ({ reason: 'requested' }),
    ],
    ['count of a pause', () => find('pause', (r) => r.paused), (r: RecordOf<'pause'>) => ({ count: r.count + 1 })],
    ['equity of a stop-out', () => find('stop_out'), (r: RecordOf<'stop_out'>) => ({ equity: raised(r.equity) })],
    ['symbol of a stop-out', () => find('stop_out'), (r: RecordOf<'stop_out'>) => ({ symbol: `${r.symbol}X` })],
    [
      'price of a settlement',
      () => find('fill', (r) => r.order === 'settlement'),
      (r: RecordOf<'fill'>) => ({ price: raised(r.price) }),
    ],
    [
      'price of a fill of a lock',
      () => find('fill', (r) => r.order === 'lock'),
      (r: RecordOf<'fill'>) => ({ price: raised(r.price) }),
    ],
    ['state hash', () => find('checkpoint'), (r: RecordOf<'checkpoint'>) => ({ state_hash: sha256Hex(r.state_hash) })],
  ]
  test.each(flips)('a flipped %s', async (_, where, change) => {
    const { aseq, proof } = where()
    const result = await forged(proof, (records) =>
      records.with(aseq, { ...records[aseq]!, ...change(records[aseq] as never) } as JournalRecord),
    )
    expect(place(result)).toEqual([1, aseq])
  })

  const kinds = ['carry', 'lock', 'warning', 'pause', 'stop_out', 'floor', 'violation', 'day', 'fill', 'order'] as const
  test.each(kinds.map((k) => [k] as const))('a dropped %s', async (kind) => {
    const { aseq, proof } = find(kind)
    const command = recordsOf(openArchive(proof)).findLast((r) => r.aseq < aseq && r.kind === 'command')!
    const result = await forged(proof, (records) => records.toSpliced(aseq, 1).map((r, i) => ({ ...r, aseq: i })))
    // at the record itself, or at its command where that lost the record which bore its receipt
    expect([[aseq, command.aseq].includes(result.at!.aseq!), result.exit]).toEqual([true, 1])
  })

  test('an accepted command that is told otherwise', async () => {
    for (const op of ['amend', 'pause', 'close'] as const) {
      const { aseq, proof } = find('command', (r) => r.command.op === op && r.answer.ok)
      const result = await forged(proof, (records) =>
        records.with(aseq, { ...records[aseq], command: { op: 'cancel_all' } } as JournalRecord),
      )
      expect([op, ...place(result)]).toEqual([op, 1, aseq])
    }
  })
})

/** The archive with one calendar replaced, cited by its new hash: what an operator with the true key could write. */
function withCalendar(files: Files, name: string, change: (calendar: Calendar) => Calendar): JournalRecord[] {
  const [header, ...rest] = recordsOf(files) as [RecordOf<'header'>, ...JournalRecord[]]
  const hash = header.docs[`calendar:${name}`]!
  const text = canonical(change(JSON.parse(files.get(documentFile(hash))!)))
  files.delete(documentFile(hash))
  files.set(documentFile(sha256Hex(text)), text)
  return [{ ...header, docs: { ...header.docs, [`calendar:${name}`]: sha256Hex(text) } }, ...rest]
}

const SUNDAYS = [{ from: { day: 7, time: '03:00' }, to: { day: 7, time: '03:01' } }]
describe('calendars', () => {
  test('a document that is not the one its hash names is found', async () => {
    const { proof, world } = told[0]!
    const files = openArchive(proof)
    const file = documentFile(world.documents.cited['calendar:news']!)
    files.set(file, files.get(file)!.replace('"high"', '"low"'))
    expect((await verifyProof(packArchive(files), { keys })).exit).toBe(1)
  })
  test('sessions of a minute on Sundays are found at the first order they would have refused', async () => {
    const uses = ({ world }: Told) => world.spec.instruments.some((i) => i.session_calendar === 'floor')
    const { proof, world } = told.find((t) => uses(t) && firstIn(t.world) !== undefined)!
    const files = openArchive(proof)
    resign(
      files,
      testKey(1),
      withCalendar(files, 'floor', (c) => ({ ...c, weekly: SUNDAYS, holidays: null }) as Calendar),
    )
    const result = await verifyProof(packArchive(files), { keys })
    expect(place(result)).toEqual([1, firstIn(world)])
  })
  /** The first order, where it was taken, in an instrument of the floor's sessions. */
  const firstIn = (world: ProofWorld): number | undefined => {
    const closed = new Set(world.spec.instruments.filter((i) => i.session_calendar === 'floor').map((i) => i.symbol))
    const first = world.records.find(
      (r) => r.kind === 'command' && r.command.op === 'order' && closed.has(r.command.symbol),
    )
    return first?.kind === 'command' && first.answer.ok ? first.aseq : undefined
  }
})

describe('the log', () => {
  test.each([['rate'], ['trade'], ['symbol_state']] as const)(
    'a changed %s that decided something is found',
    async (kind) => {
      const stands = ({ world }: Told) => world.records.find((r) => isDecidedBy(r, kind, world))
      const { proof, world } = told.find(stands)!
      const { mseq } = world.records.find((r) => isDecidedBy(r, kind, world))!
      const files = openArchive(proof)
      const event = world.events[mseq - 1]! as Extract<LeafLine['e'], { symbol: string }>
      const file = streamFile(event.symbol)
      files.set(
        file,
        `${linesOf(files, file)
          .map((line) => {
            const leaf = JSON.parse(line) as LeafLine
            return leaf.e.mseq === mseq ? canonical({ ...leaf, e: { ...leaf.e, ts: leaf.e.ts + 1 } }) : line
          })
          .join('\n')}\n`,
      )
      const result = await verifyProof(packArchive(files), { keys })
      expect([result.exit, result.at?.mseq]).toEqual([1, mseq])
    },
  )
  const isDecidedBy = (r: JournalRecord, kind: string, world: ProofWorld): boolean =>
    r.mseq > 0 &&
    r.kind !== 'command' &&
    world.events[r.mseq - 1]!.kind === kind &&
    'symbol' in world.events[r.mseq - 1]!
  test('an archive keeps its size: it does not carry what decided nothing', () => {
    for (const { proof, world } of told) {
      const shown = [...openArchive(proof)].filter(([name]) => name.startsWith('log/'))
      const lines = shown.reduce((n, [, text]) => n + text.split('\n').length - 1, 0)
      expect(lines).toBeLessThanOrEqual(world.events.length)
      expect(envelopeOf(openArchive(proof)).end).toBeLessThanOrEqual(world.events.length)
    }
  })
})
