/** Several trading processes over one database and one market log, in one process: slots move, callers do not notice. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { PeerError } from '@assay/core/kernel/peers'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Db } from '@assay/core/ports/db/port'
import { createLockstep } from '@assay/core/ports/marketlog/lockstep-memory'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { spec } from '@assay/core/testing/world'
import { openReplicas, type Replicas } from '../testing/replicas.ts'
import { slotOf } from './slots.ts'
import { quoteAt, type TestEngine } from './testing.ts'
import { type Reply, SLOTS } from './types.ts'

const SPEC = spec([
  {
    rule: 'max_daily_loss',
    anchor: 'balance',
    limit: { pct: '3', of: 'initial' },
    metric: 'equity',
    compare: 'lt',
    tested: 'always',
    effect: 'hard',
  },
])
const buy = (client_order_id?: string) =>
  ({
    op: 'order',
    symbol: 'TST/USD',
    side: 'buy',
    type: 'market',
    quantity: '1',
    ...(client_order_id && { client_order_id }),
  }) as const

let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await testDatabase()
  db = database.db.as('trading')
}, 20_000)
afterAll(() => database.drop(), 20_000)

let cluster: Replicas
let append: (...events: Parameters<TestEngine['append']>) => Promise<void>
beforeEach(async () => {
  const marketlog = createMemoryLog()
  await marketlog.fence('main', 1, true)
  const lockstep = createLockstep('main', systemClock)
  cluster = openReplicas({ db, marketlog, lockstep: () => lockstep })
  append = async (...events) => {
    await marketlog.append('main', 1, events)
    await lockstep.applied(events.at(-1)!.mseq)
  }
})
afterEach(() => cluster.close(), 20_000)
const slots = Array.from({ length: SLOTS }, (_, slot) => slot)
let accounts = 0
/** Accounts in as many different slots. */
function fresh(count: number): string[] {
  const names: string[] = []
  for (const taken = new Set<number>(); names.length < count; ) {
    const name = `many-${++accounts}`
    if (!taken.has(slotOf(name))) names.push(name)
    taken.add(slotOf(name))
  }
  return names
}
async function opened(t: TestEngine, names: readonly string[]): Promise<void> {
  for (const name of names)
    for (const [op, meta] of [
      ['create', { spec: SPEC }],
      ['start', {}],
    ] as const)
      expect(await t.submit(name, { op }, meta)).toMatchObject({ kind: 'answer', answer: { ok: true } })
}
// not expect().rejects: it turns the event loop inside, where sockets get no turn
const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'answered',
    (error) => (error as { code: string }).code,
  )
const ok = (reply: Reply): boolean => reply.kind === 'answer' && reply.answer.ok
const fills = async (account: string): Promise<number> =>
  Number((await db.query('select count(*) as n from trading.fills where account = $1', [account]))[0]!.n)

test('three owners share the slots; any of them takes commands and reads for every account, and asks no further than once', async () => {
  const [a, b, c] = [await cluster.start('a'), await cluster.start('b'), await cluster.start('c')]
  await cluster.balanced()
  await append(quoteAt(1, '100.00', '100.02'))
  const names = fresh(12)
  await opened(a, names)
  for (const name of names) {
    for (const t of [a, b, c]) expect(ok(await t.submit(name, buy()))).toBe(true)
    const seen = await Promise.all([a, b, c].map((t) => t.engine.read(name)))
    expect(seen.map(({ aseq, mseq }) => [aseq, mseq])).toEqual(seen.map(() => [seen[0]!.aseq, 1]))
    expect(seen[0]!.positions).toMatchObject([{ quantity: '3' }])
    const { preview } = await c.engine.preview(name, { symbol: 'TST/USD', side: 'buy', type: 'market', quantity: '1' })
    expect(preview.refusal).toBeNull()
  }
  expect(Math.min(a.asked, b.asked, c.asked)).toBeGreaterThan(0)
  expect(await codeOf(b.engine.read('nobody'))).toBe('not_found')
  const mine = names.find((name) => a.engine.owns(name))!
  const before = c.asked
  // a forwarded call is never forwarded again: who does not own the slot says so
  expect(await b.engine.answer({ method: 'read', args: [mine] })).toEqual({ moving: true })
  expect(c.asked).toBe(before)
}, 20_000)

test('every slot moves under load, by starts and drains, and no command is refused or decided twice', async () => {
  const first = await cluster.start('a')
  await cluster.balanced()
  await append(quoteAt(1, '100.00', '100.02'))
  const names = fresh(40)
  await opened(first, names)
  const entrances = () => [...cluster.all.values()]
  let running = true
  let sent = 0
  const slowest: number[] = []
  const refusals: Reply[] = []
  const load = names.map(async (name, n) => {
    for (let i = 0; running; i++) {
      const at = entrances()[(n + i) % entrances().length]!
      const from = performance.now()
      const reply = await at.submit(name, buy(`${name}-${i}`))
      slowest.push(performance.now() - from)
      if (ok(reply)) sent++
      else refusals.push(reply)
      await Bun.sleep(5)
    }
  })
  const before = new Map(slots.map((slot) => [slot, first.leases.epochOf(slot)]))
  await cluster.start('b')
  await cluster.start('c')
  await cluster.balanced()
  const from = performance.now()
  await first.drain()
  const took = performance.now() - from
  await cluster.balanced()
  running = false
  await Promise.all(load)
  expect(refusals).toEqual([])
  expect(took).toBeLessThan(2000)
  expect(Math.max(...slowest)).toBeLessThan(2000)
  const rows = await db.query<{ slot: number; epoch: string; owner: string }>(
    'select slot, epoch, owner from trading.slot',
  )
  for (const { slot, epoch, owner } of rows) {
    expect(Number(epoch)).toBeGreaterThan(before.get(slot)!)
    expect(owner).not.toBe('a')
  }
  let filled = 0
  for (const name of names) filled += await fills(name)
  expect(filled).toBe(sent)
}, 30_000)

test('an owner that dies is succeeded by the others: their callers wait or hear that nobody knows, then everything goes on', async () => {
  const [a, b, c] = [await cluster.start('a'), await cluster.start('b'), await cluster.start('c')]
  await cluster.balanced()
  await append(quoteAt(1, '100.00', '100.02'))
  const names = fresh(12)
  await opened(a, names)
  for (const name of names) expect(ok(await a.submit(name, buy()))).toBe(true)
  const theirs = names.filter((name) => c.engine.owns(name))
  expect(theirs.length).toBeGreaterThan(0)
  await c.kill()
  for (const name of theirs) expect(ok(await b.submit(name, buy()))).toBe(true)
  await append(quoteAt(2, '100.10', '100.12'))
  for (const name of theirs)
    expect(await a.engine.read(name)).toMatchObject({ mseq: 2, positions: [{ quantity: '2' }] })
}, 20_000)

test('an answer that is lost on its way is outcome_unknown with the id under which the order is found', async () => {
  const [a, b] = [await cluster.start('a'), await cluster.start('b')]
  await cluster.balanced()
  await append(quoteAt(1, '100.00', '100.02'))
  const name = fresh(12).find((each) => b.engine.owns(each))!
  await opened(b, [name])
  cluster.wire.back = () => {
    throw new PeerError('reset', true)
  }
  expect(await a.submit(name, buy('mine'))).toMatchObject({ code: 'outcome_unknown', order: 'client:mine' })
  expect(await a.submit(name, buy(), { requestId: 'request-7' })).toMatchObject({
    code: 'outcome_unknown',
    order: 'client:request-7',
  })
  // a read is asked again, until its time is over
  expect(await codeOf(a.engine.read(name))).toBe('unavailable')
  cluster.wire.back = () => {}
  expect(await fills(name)).toBe(2)
  expect(await a.submit(name, buy('mine'))).toMatchObject({ kind: 'answer', replayed: true })
  cluster.wire.to = () => {
    throw new PeerError('refused', false)
  }
  // it never began: the caller waits for the slot's owner, then may try again
  expect(await a.submit(name, buy('other'))).toMatchObject({ code: 'unavailable', retryAfterS: 1 })
  expect(await fills(name)).toBe(2)
}, 20_000)
