import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { systemClock } from '@assay/core/ports/clock/system'
import { type Db, DbError } from '@assay/core/ports/db/port'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { ManualClock } from '@assay/core/testing/clock'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { maxDailyLoss } from '@assay/core/testing/rules'
import { until } from '@assay/core/testing/until'
import { spec } from '@assay/core/testing/world'
import { dbLeases } from './leases.ts'
import { slotOf } from './slots.ts'
import { sqlStore } from './sql-store.ts'
import type { CommitReport, EngineStore } from './store.ts'
import { quoteAt, type TestEngine, testEngine } from './testing.ts'
import type { Reply } from './types.ts'

setDefaultTimeout(20_000)
const SPEC = spec([maxDailyLoss({ pct: '3', of: 'initial' })])

let database: TestDatabase
let db: Db
const open: TestEngine[] = []
beforeAll(async () => {
  database = await testDatabase()
  db = database.db.as('trading')
})
afterAll(() => database.drop())
afterEach(async () => {
  for (const t of open.splice(0)) await t.close()
  await db.query(`update trading.account set mseq = 0, status = 'abandoned', exposed = false`)
})

async function owner(name: string, marketlog: MarketLog, more = {}) {
  const clock = new ManualClock()
  const leases = dbLeases(db, clock, { id: name, url: null })
  const t = await testEngine({ store: sqlStore(db), leases, clock, marketlog, ...more })
  open.push(t)
  return {
    ...t,
    leases,
    clock,
    /** a second at a time until it holds */
    passUntil: (what: string, holds: () => boolean | Promise<boolean>) =>
      until(what, async () => {
        if (await holds()) return true
        await clock.advance(1000)
        return false
      }),
  }
}
const limit = (side: 'buy' | 'sell', price: string) =>
  ({ op: 'order', symbol: 'TST/USD', side, type: 'limit', quantity: '5', price, time_in_force: 'gtc' }) as const
const buy = { op: 'order', symbol: 'TST/USD', side: 'buy', type: 'market', quantity: '10' } as const
const isOk = (reply: Reply) => reply.kind === 'answer' && reply.answer.ok
/** the owner stands still for longer than its lease: database time goes on without it */
const stall = () =>
  db.batch([
    { sql: `update trading.slot set expires_at = now() - interval '1 second'` },
    { sql: `update trading.owner set expires_at = now() - interval '1 second'` },
  ])
const chain = (account: string) =>
  db.query<{ aseq: string; kind: string }>('select aseq, kind from trading.journal where account = $1 order by aseq', [
    account,
  ])
const openedOn = async (t: TestEngine, account: string) => {
  for (const [op, meta] of [
    ['create', { spec: SPEC }],
    ['start', {}],
  ] as const)
    expect(isOk(await t.submit(account, { op }, meta))).toBe(true)
}

test('an owner that stalled beyond its lease, and nobody came, goes on under the same epoch', async () => {
  const marketlog = createMemoryLog()
  await marketlog.fence('main', 1)
  const t = await owner('home', marketlog)
  await t.append(quoteAt(1, '100.00', '100.02'))
  await openedOn(t, 'stalled')
  const epoch = t.leases.epochOf(slotOf('stalled'))
  await stall()
  await t.clock.advance(1000)
  expect(isOk(await t.submit('stalled', buy))).toBe(true)
  expect(t.leases.epochOf(slotOf('stalled'))).toBe(epoch)
})

test('an owner whose slots went to another drops them, takes them back when they are free, and goes on behind what the other decided', async () => {
  const marketlog = createMemoryLog()
  await marketlog.fence('main', 1)
  const inner = sqlStore(db)
  const reports: CommitReport[] = []
  const store: EngineStore = {
    ...inner,
    async commit(batch, slots) {
      const report = await inner.commit(batch, slots)
      reports.push(report)
      return report
    },
  }
  const t = await owner('here', marketlog, { store })
  await t.append(quoteAt(1, '100.00', '100.02'))
  await openedOn(t, 'moves')
  expect(isOk(await t.submit('moves', limit('sell', '101.00')))).toBe(true)
  const before = (await chain('moves')).length

  await stall()
  const other = await owner('there', marketlog)
  expect(other.leases.epochOf(slotOf('moves'))).toBe(t.leases.epochOf(slotOf('moves'))! + 1)
  // it does not know yet: what it decides does not happen, and it waits for the slot's new owner
  expect(t.leases.serves(slotOf('moves'))).toBe(true)
  reports.length = 0
  const late = t.submit('moves', buy)
  await until('it knows', () => !t.leases.serves(slotOf('moves')))
  // the write was sent under the old epoch, and the database refused it
  expect(reports).toEqual([{ committed: new Set(), held: new Set() }])
  expect((await chain('moves')).length).toBe(before)
  await t.passUntil('it waits no more', () => Promise.race([late.then(() => true), Bun.sleep(0).then(() => false)]))
  expect(await late).toMatchObject({ kind: 'refused', code: 'unavailable', retryAfterS: 1 })
  expect(isOk(await other.submit('moves', buy))).toBe(true)
  await marketlog.append('main', 1, [quoteAt(2, '100.10', '100.12')])
  await other.lockstep.applied(2)
  await open.pop()!.close()

  await t.passUntil('it has them back', () => t.leases.serves(slotOf('moves')))
  expect(isOk(await t.submit('moves', limit('buy', '99.00')))).toBe(true)
  // both working orders meet their price: each fills once
  await t.append(quoteAt(3, '101.10', '101.12'), quoteAt(4, '98.80', '98.90'))
  const records = await chain('moves')
  expect(records.map((r) => Number(r.aseq))).toEqual(records.map((_, n) => n))
  expect(records.filter((r) => r.kind === 'fill').length).toBe(3)
  expect((await t.engine.read('moves')).mseq).toBe(4)
})

test('accounts of slots that were taken back are read again until the database answers', async () => {
  const marketlog = createMemoryLog()
  await marketlog.fence('main', 1)
  const inner = sqlStore(db)
  let failing = false
  let asked = 0
  const store = {
    ...inner,
    async loadSlots(slots: readonly number[]) {
      asked++
      if (failing) throw new DbError('gone', '08006', { retryable: true })
      return inner.loadSlots(slots)
    },
  }
  const t = await owner('home', marketlog, { store })
  await t.append(quoteAt(1, '100.00', '100.02'))
  await openedOn(t, 'unread')
  expect(isOk(await t.submit('unread', limit('sell', '101.00')))).toBe(true)
  await stall()
  const other = dbLeases(db, systemClock, { id: 'other', url: null })
  await other.acquire()
  await t.passUntil('it knows', () => !t.leases.serves(slotOf('unread')))
  failing = true
  asked = 0
  await other.release()
  await t.passUntil('it has asked twice', () => asked >= 2)
  failing = false
  await t.passUntil('it was answered', () => asked >= 3)
  // nobody has asked for the account: the market alone moves it
  await marketlog.append('main', 1, [quoteAt(2, '101.10', '101.12')])
  await t.passUntil('its order is filled', async () => (await chain('unread')).some((r) => r.kind === 'fill'))
})
