import { afterAll, beforeAll, expect, test } from 'bun:test'
import pg from 'pg'
import { describeReal } from '../../testing/adapters.ts'
import { type CuttableProxy, cuttableProxy } from '../../testing/cuttable-proxy.ts'
import { type TestPostgres, testPostgres, testServerUrl } from '../../testing/postgres.ts'
import { until } from '../../testing/until.ts'
import { PgDb } from './pg-db.ts'
import type { Db, DbError } from './port.ts'
import { kindOf, openPostgres } from './postgres.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }
const failure = (work: Promise<unknown>): Promise<DbError> =>
  work.then(
    () => {
      throw new Error('it did not fail')
    },
    (error) => error,
  )

describeReal('PostgreSQL', () => {
  let database: TestPostgres
  let db: Db
  let proxy: CuttableProxy
  beforeAll(async () => {
    database = await testPostgres()
    db = database.db
    proxy = await cuttableProxy(database.url)
    await db.script('create table trading.tally (id integer primary key, n integer not null)')
  })
  afterAll(async () => {
    await proxy.close()
    await database.drop()
  })
  const put = (id: number) => db.query('insert into trading.tally values ($1, 0)', [id])
  const tally = async (id: number) =>
    (await db.query<{ n: number }>('select n from trading.tally where id = $1', [id]))[0]?.n
  const kill = (like: string) =>
    database.admin(
      `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database() and query like $1`,
      [like],
    )

  test('transactions that conflict are run again until each has had its turn', async () => {
    await put(1)
    let runs = 0
    await Promise.all(
      Array.from({ length: 8 }, () =>
        db.tx(async (sql) => {
          runs++
          await sql.query('set transaction isolation level serializable')
          const [row] = await sql.query<{ n: number }>('select n from trading.tally where id = 1')
          await sql.query('update trading.tally set n = $1 where id = 1', [row!.n + 1])
        }),
      ),
    )
    expect(await tally(1)).toBe(8)
    expect(runs).toBeGreaterThan(8)
  })

  test('of two transactions that wait for each other one is run again', async () => {
    await put(2)
    await put(3)
    let runs = 0
    let both = Promise.withResolvers<void>()
    const add = (first: number, second: number) =>
      db.tx(async (sql) => {
        await sql.query('update trading.tally set n = n + 1 where id = $1', [first])
        if (++runs === 2) both.resolve()
        await both.promise
        await sql.query('update trading.tally set n = n + 1 where id = $1', [second])
      })
    await Promise.all([add(2, 3), add(3, 2)])
    expect([await tally(2), await tally(3), runs]).toEqual([2, 2, 3])
    both = Promise.withResolvers()
  })

  test('a statement that takes too long is ended by the server, without effect, and its connection serves on', async () => {
    const impatient = await database.another({ timeoutMs: 200 })
    const error = await failure(
      impatient.batch([{ sql: 'insert into trading.tally values (4, 0)' }, { sql: 'select pg_sleep(20)' }]),
    )
    expect([error.code, error.options.outcomeUnknown ?? false]).toEqual(['57014', false])
    expect(await impatient.query('select 1 as one')).toEqual([{ one: 1 }])
    expect(await tally(4)).toBeUndefined()
  })

  test('a connection that is killed inside a transaction costs a run, not an effect', async () => {
    await put(5)
    let runs = 0
    await db.tx(async (sql) => {
      await sql.query('update trading.tally set n = n + 1 where id = 5')
      if (++runs > 1) return
      const [own] = await sql.query<{ pid: number }>('select pg_backend_pid() as pid')
      await database.admin('select pg_terminate_backend($1)', [own!.pid])
      await failure(sql.query('select 1'))
    })
    expect([await tally(5), runs]).toEqual([1, 2])
  })

  test('a batch whose connection is killed before its commit is of unknown outcome, and did nothing', async () => {
    const running = failure(
      db.batch([{ sql: 'insert into trading.tally values (6, 0)' }, { sql: 'select pg_sleep(20) /* killed */' }]),
    )
    await until('killed', async () => (await kill('%/* killed */')).length > 0)
    const error = await running
    expect([error.name, error.options.retryable, error.options.outcomeUnknown]).toEqual(['DbError', true, true])
    expect(await tally(6)).toBeUndefined()
  })

  test.each(['batch', 'tx'] as const)(
    'a %s whose answer is lost after its commit is of unknown outcome, and happened',
    async (kind) => {
      const id = kind === 'batch' ? 7 : 8
      const away = await database.another({ url: proxy.url, announced: [] })
      const insert = `insert into trading.tally values (${id}, 1)`
      await away.query('select 1')
      let lost: Promise<DbError>
      if (kind === 'batch') {
        proxy.swallowAnswers()
        lost = failure(away.query(insert))
      } else {
        lost = failure(
          away.tx(async (sql) => {
            await sql.query(insert)
            proxy.swallowAnswers()
          }),
        )
      }
      await until('committed', async () => (await tally(id)) === 1)
      proxy.cut()
      const error = await lost
      expect([error.code, error.options.retryable, error.options.outcomeUnknown]).toEqual(['08006', true, true])
      expect(await away.query('select 1 as one')).toEqual([{ one: 1 }])
    },
  )

  test('a server that does not answer any more fails as unknown after the time-out and its network share', async () => {
    const away = await database.another({ url: proxy.url, announced: [], timeoutMs: 100 })
    await away.query('select 1')
    proxy.swallowAnswers()
    const error = await failure(away.query('insert into trading.tally values (9, 1)'))
    expect([error.code, error.options.outcomeUnknown]).toEqual(['57014', true])
    proxy.cut()
    expect(await away.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  test('idle connections that died are not met by any caller', async () => {
    const away = await database.another({ url: proxy.url, announced: [], checkAfterMs: 0 })
    await Promise.all([1, 2, 3].map(() => away.query('select pg_sleep(0.05)')))
    proxy.swallowAnswers()
    expect(await away.query('select 1 as one')).toEqual([{ one: 1 }])
    // of this database: other tests have theirs on the same server
    await database.admin(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like $1',
      ['assay %'],
    )
    expect(await away.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  test('who finds no free connection is told so in time, with no effect', async () => {
    const narrow = await database.another({ connections: 1, connectMs: 100, retryMs: 0 })
    const held = Promise.withResolvers<void>()
    const holding = narrow.tx(async (sql) => {
      await sql.query('select 1')
      await held.promise
    })
    const error = await failure(narrow.query('select 1'))
    expect([error.options.retryable, error.options.outcomeUnknown]).toEqual([true, false])
    held.resolve()
    await holding
    expect(await narrow.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  test('a server that is not there is an error that may be retried, and had no effect', async () => {
    const url = database.url.replace(/:\d+\//, ':1/')
    const error = await failure(openPostgres({ url, log, retryMs: 0 }))
    expect([error.name, error.options.retryable, error.options.outcomeUnknown]).toEqual(['DbError', true, false])
  })

  test('a wrong password is refused at once', async () => {
    const url = new URL(testServerUrl())
    url.password = 'wrong'
    url.username = 'nobody_at_all'
    const error = await failure(openPostgres({ url: url.href, log, retryMs: 0 }))
    expect(error.code).toMatch(/^28/)
    expect(error.options.retryable ?? false).toBe(false)
  })

  test("a login that may act as one service's role is refused the others by the server", async () => {
    const login = `login_${crypto.randomUUID().slice(0, 8)}`
    await database.admin(`create role ${login} login password 'p' in role trading`)
    const url = new URL(database.url)
    url.username = login
    url.password = 'p'
    const narrow = await database.another({ url: url.href, announced: [] })
    try {
      expect(await narrow.as('trading').query('select count(*)::int as n from account')).toEqual([{ n: 0 }])
      expect((await failure(narrow.as('gateway').query('select 1'))).code).toBe('42501')
      expect((await failure(narrow.query('select * from gateway.users'))).code).toBe('42501')
    } finally {
      await narrow.close()
      await database.admin(`drop role ${login}`)
    }
  })

  test("another process's commits are heard, after a broken connection too", async () => {
    const other = await database.another({ announced: ['trading.tally'] })
    const listening = await database.another({ announced: ['trading.tally'] })
    let heard = 0
    listening.watch('trading.tally', () => heard++)
    await other.query('insert into trading.tally values (10, 0)')
    await until('heard', () => heard > 0)
    await kill('%assay_committed%')
    await until('heard again', async () => {
      const before = heard
      await other.query('update trading.tally set n = n + 1 where id = 10')
      await Bun.sleep(50)
      return heard > before
    })
  })

  test('where an exchange is no transaction by itself, as on CockroachDB, BEGIN and COMMIT make it one', async () => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1 })
    const wrapped = new PgDb(
      {
        kind: 'postgres',
        connections: 1,
        timeoutMs: 5_000,
        scriptTimeoutMs: 5_000,
        retryMs: 0,
        exchangeIsTransaction: false,
        pool: () => pool,
        close: () => pool.end(),
      },
      null,
    )
    const ids = (...wanted: number[]) =>
      wanted.map((id) => ({ sql: 'insert into trading.tally values ($1, 0) returning id', params: [id] }))
    expect((await wrapped.batch(ids(11, 12))).flat()).toEqual([{ id: 11 }, { id: 12 }])
    expect((await failure(wrapped.batch(ids(13, 11)))).code).toBe('23505')
    const mixed: unknown[][] = await wrapped.batch([...ids(14), { sql: 'select 1 as one' }])
    expect(mixed.flat()).toEqual([{ id: 14 }, { one: 1 }])
    expect([await tally(12), await tally(14)]).toEqual([0, 0])
    expect(await tally(13)).toBeUndefined()
    await wrapped.close()
  })

  test('the server tells what it is', () => {
    expect(kindOf('PostgreSQL 15.20 (Debian 15.20-0+deb12u1) on x86_64')).toEqual({
      product: 'PostgreSQL',
      version: '15.20',
    })
    expect(kindOf('CockroachDB CCL v24.3.1 (x86_64-pc-linux-gnu, built 2024/12/09)')).toEqual({
      product: 'CockroachDB',
      version: 'v24.3.1',
    })
  })

  test('four statements run at once', async () => {
    const started = performance.now()
    await Promise.all([1, 2, 3, 4].map(() => db.query('select pg_sleep(0.4)')))
    expect(performance.now() - started).toBeLessThan(1_200)
    expect(db.connections).toBe(4)
  })
})
