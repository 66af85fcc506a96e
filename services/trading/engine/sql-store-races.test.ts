import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import type { AccountSpec } from '@assay/core/domain/engine/types'
import { systemClock } from '@assay/core/ports/clock/system'
import { DbError } from '@assay/core/ports/db/port'
import { describeReal } from '@assay/core/testing/adapters'
import { cuttableProxy } from '@assay/core/testing/cuttable-proxy'
import { type TestPostgres, testPostgres } from '@assay/core/testing/postgres'
import { until } from '@assay/core/testing/until'
import { spec } from '@assay/core/testing/world'
import { dbLeases, type Leases } from './leases.ts'
import { slotOf } from './slots.ts'
import { sqlStore } from './sql-store.ts'
import type { EngineStore } from './store.ts'
import { quoteAt, type TestEngine, testEngine } from './testing.ts'

const SPEC: AccountSpec = spec([
  {
    rule: 'max_loss',
    mode: 'static',
    limit: { pct: '6' },
    lock: null,
    metric: 'equity',
    compare: 'lt',
    effect: 'hard',
  },
])
const BUY = { op: 'order', symbol: 'TST/USD', side: 'buy', type: 'market', quantity: '1' } as const
/** Commits whose command has this id stay inside their transaction until a lock is given free. */
const LINGER = 4711
type Batch = Parameters<EngineStore['commit']>

describeReal('the engine on PostgreSQL', () => {
  let database: TestPostgres
  const open: TestEngine[] = []
  beforeAll(async () => {
    database = await testPostgres()
    await database.db.script(
      `create function trading.linger() returns trigger language plpgsql as $$ begin
         perform pg_advisory_xact_lock_shared(${LINGER}); return new; end $$;
       create trigger linger before insert on trading.journal for each row
         when (new.command_id like 'linger%') execute function trading.linger()`,
    )
  })
  afterEach(async () => {
    for (const t of open.splice(0)) await t.close()
    await database.db.query(`update trading.account set mseq = 0, status = 'abandoned', exposed = false`)
    await database.db.script(
      `delete from trading.owner; update trading.slot set owner = null, expires_at = '-infinity'`,
    )
  })
  afterAll(() => database.drop())

  let names = 0
  const fresh = () => `acc-${++names}`
  const as = () => database.db.as('trading')
  async function started(store: EngineStore = sqlStore(as())): Promise<TestEngine & { leases: Leases }> {
    const leases = dbLeases(as(), systemClock, { id: 'first', url: null })
    const t = await testEngine({ store, leases })
    open.push(t)
    await t.append(quoteAt(1, '100.00', '100.02'))
    return { ...t, leases }
  }
  async function account(t: TestEngine): Promise<string> {
    const name = fresh()
    await t.submit(name, { op: 'create' }, { spec: SPEC })
    await t.submit(name, { op: 'start' })
    return name
  }
  const rows = async (name: string) =>
    (
      await database.db.query(
        `select (select count(*)::int from trading.fills where account = $1) as fills,
           (select count(*)::int from trading.journal where account = $1 and command_id is not null) as commands,
           (select count(*)::int from bus.outbox where aggregate = $1 and topic = 'trading.order-filled') as events`,
        [name],
      )
    )[0]
  /** runs `work` while commits of lingering commands stay inside their transaction */
  async function lingering<T>(work: (letGo: () => Promise<void>) => Promise<T>): Promise<T> {
    const freed = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const holding = database.db.tx(async (sql) => {
      await sql.query(`select pg_advisory_xact_lock(${LINGER})`)
      locked.resolve()
      await freed.promise
    })
    await locked.promise
    try {
      return await work(async () => {
        freed.resolve()
        await holding
      })
    } finally {
      freed.resolve()
      await holding
    }
  }
  const waiting = async (like: string) =>
    (
      await database.admin(
        `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1`,
        [like],
      )
    ).map((row) => row.pid as number)
  /** an engine whose next commit is caught before it is sent */
  async function caught(): Promise<{ t: Awaited<ReturnType<typeof started>>; batch: Batch; name: string }> {
    const inner = sqlStore(as())
    let catching: ((batch: Batch) => void) | undefined
    const t = await started({
      ...inner,
      async commit(...batch) {
        if (!catching) return inner.commit(...batch)
        catching(batch)
        throw new DbError('caught', '08006', { retryable: true, outcomeUnknown: true })
      },
    })
    const name = await account(t)
    const batch = await new Promise<Batch>((resolve) => {
      catching = resolve
      void t.submit(name, BUY, { commandId: `linger-${name}` })
    })
    return { t, batch, name }
  }

  test('two owners that commit for one account at once: one of them happens, the other is told that it did not', async () => {
    const { batch, name } = await caught()
    const stores = [sqlStore(as()), sqlStore((await database.another()).as('trading'))]
    const reports = await lingering(async (letGo) => {
      const both = Promise.all(stores.map((store) => store.commit(...batch)))
      await until('both are inside', async () => (await waiting('%trading.account%')).length === 2)
      await letGo()
      return both
    })
    expect(reports.map(({ committed }) => committed.size).sort()).toEqual([0, 1])
    expect(reports.map(({ held }) => [...held])).toEqual([[slotOf(name)], [slotOf(name)]])
    expect(await rows(name)).toEqual({ fills: 1, commands: 3, events: 1 })
  })

  test('a take-over waits for a commit that runs; the renewal of the lease does not', async () => {
    const { t, batch, name } = await caught()
    const second = dbLeases(as(), systemClock, { id: 'second', url: null })
    await lingering(async (letGo) => {
      const commit = sqlStore(as()).commit(...batch)
      await until('it is inside', async () => (await waiting('%trading.account%')).length === 1)
      expect(await t.leases.renew()).toEqual([])
      await database.db.script(
        `delete from trading.owner where id = 'first'; update trading.slot set expires_at = '-infinity'`,
      )
      let taken: number[] | undefined
      const acquiring = second.acquire().then((slots) => {
        taken = slots
      })
      await until('the take-over waits', async () => (await waiting('with taken%')).length === 1)
      expect(taken).toBeUndefined()
      await letGo()
      expect((await commit).committed.size).toBe(1)
      await acquiring
      expect(taken).toHaveLength(64)
    })
    expect(second.epochOf(slotOf(name))).toBe(batch[1][0]!.epoch + 1)
    expect(await rows(name)).toEqual({ fills: 1, commands: 3, events: 1 })
    await second.release()
  })

  test('a commit that waits for a take-over finds its slot gone and writes nothing', async () => {
    const { batch, name } = await caught()
    const taken = Promise.withResolvers<void>()
    const committed = Promise.withResolvers<void>()
    const takeOver = database.db.tx(async (sql) => {
      await sql.query('select slot from trading.slot where slot = $1 for update', [slotOf(name)])
      await sql.query(`update trading.slot set epoch = epoch + 1, owner = 'second' where slot = $1`, [slotOf(name)])
      taken.resolve()
      await committed.promise
    })
    await taken.promise
    const late = sqlStore(as()).commit(...batch)
    await until('it waits', async () => (await waiting('%for key share%')).length === 1)
    committed.resolve()
    await takeOver
    const { committed: kept, held } = await late
    expect([[...kept], [...held]]).toEqual([[], []])
    expect(await rows(name)).toEqual({ fills: 0, commands: 2, events: 0 })
  })

  test('a commit whose connection is killed before it committed is decided again: one effect, one answer', async () => {
    const t = await started()
    const name = await account(t)
    const reply = await lingering(async (letGo) => {
      const asked = t.submit(name, BUY, { commandId: 'linger-killed' })
      await until('inside', async () => (await waiting('%trading.account%')).length === 1)
      const [pid] = await waiting('%trading.account%')
      await database.admin('select pg_terminate_backend($1)', [pid])
      await until('again', async () => {
        const [next] = await waiting('%trading.account%')
        return next !== undefined && next !== pid
      })
      await letGo()
      return asked
    })
    expect(reply).toMatchObject({ kind: 'answer', answer: { ok: true } })
    expect(await rows(name)).toEqual({ fills: 1, commands: 3, events: 1 })
  })

  test('a commit whose answer is lost is found by its command: the stored answer, no second effect', async () => {
    const proxy = await cuttableProxy(database.url)
    const away = await database.another({ url: proxy.url, announced: [] })
    const t = await started(sqlStore(away.as('trading')))
    const name = await account(t)
    const asked = lingering(async (letGo) => {
      const reply = t.submit(name, BUY, { commandId: 'linger-lost' })
      await until('inside', async () => (await waiting('%trading.account%')).length === 1)
      proxy.swallowAnswers()
      await letGo()
      return reply
    })
    await until('committed', async () => (await rows(name))!.fills === 1)
    proxy.cut()
    const reply = await asked
    expect(reply).toMatchObject({ kind: 'answer', answer: { ok: true } })
    const [stored] = await database.db.query<{ answer: unknown }>(
      `select record::json -> 'answer' as answer from trading.journal where account = $1 and command_id = 'linger-lost'`,
      [name],
    )
    expect(reply.kind === 'answer' && JSON.parse(JSON.stringify(reply.answer))).toEqual(stored!.answer as never)
    expect(await rows(name)).toEqual({ fills: 1, commands: 3, events: 1 })
    await open.pop()!.close()
    await proxy.close()
  })

  test('two connections commit batches of different accounts at once', async () => {
    const t = await started()
    const names = [await account(t), await account(t)]
    await lingering(async (letGo) => {
      const first = t.submit(names[0]!, BUY, { commandId: 'linger-one' })
      await until('one inside', async () => (await waiting('%trading.account%')).length === 1)
      const second = t.submit(names[1]!, BUY, { commandId: 'linger-two' })
      await until('two inside', async () => (await waiting('%trading.account%')).length === 2)
      await letGo()
      for (const reply of await Promise.all([first, second])) {
        expect(reply).toMatchObject({ kind: 'answer', answer: { ok: true } })
      }
    })
  })
})
