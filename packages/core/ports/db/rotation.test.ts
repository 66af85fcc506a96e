import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeReal } from '../../testing/adapters.ts'
import { type TestPostgres, testPostgres } from '../../testing/postgres.ts'
import { until } from '../../testing/until.ts'
import type { CredentialSource, Credentials } from './credentials.ts'

/** Logins of a minute, as a secrets server makes them: each may act as `trading` and as the owner of all. */
function issuer(database: TestPostgres) {
  const listeners = new Set<(credentials: Credentials) => void>()
  const run = crypto.randomUUID().slice(0, 8)
  let n = 0
  let latest: Credentials
  async function issue(): Promise<Credentials> {
    const user = `v_${run}_${++n}`
    await database.admin(
      `create role ${user} login password 'p${n}' valid until '${new Date(Date.now() + 60_000).toISOString()}' in role trading, bus, assay_owner`,
    )
    latest = { user, password: `p${n}`, expiresAt: Date.now() + 60_000, owner: 'assay_owner' }
    for (const changed of listeners) changed(latest)
    return latest
  }
  const source: CredentialSource = {
    current: async () => latest,
    subscribe(changed) {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    close: async () => {},
  }
  return { source, issue, current: () => latest }
}

describeReal('logins that change', () => {
  let database: TestPostgres
  beforeAll(async () => {
    database = await testPostgres()
    await database.admin(
      `do $$ begin create role assay_owner nologin; exception when duplicate_object or unique_violation then end $$`,
    )
    await database.admin('grant all on schema public to assay_owner')
    await database.db.script('create table trading.hit (id text primary key, n integer not null)')
  })
  afterAll(() => database.drop())
  const drop = (user: string) => database.admin(`drop role ${user}`)

  test('ten rotations under load fail no query, and each old login is free to be dropped', async () => {
    const { source, issue, current } = issuer(database)
    await issue()
    const db = await database.another({ credentials: source })
    const trading = db.as('trading')
    const failures: unknown[] = []
    let running = true
    let queries = 0
    let transactions = 0
    const worker = async (k: number) => {
      const id = `w${k}`
      await trading.query('insert into hit values ($1, 0)', [id])
      while (running) {
        await trading
          .tx(async (sql) => {
            const [row] = await sql.query<{ n: number }>('select n from hit where id = $1 for update', [id])
            await sql.query('update hit set n = $2 where id = $1', [id, row!.n + 1])
          })
          .then(() => transactions++)
          .catch((error) => failures.push(error))
        const others = [db.query('select 1'), trading.prisma.$queryRawUnsafe('select 1')]
        for (const each of others) await each.then(() => queries++).catch((error) => failures.push(error))
      }
    }
    const load = Promise.all(Array.from({ length: 12 }, (_, k) => worker(k)))
    for (let rotation = 1; rotation <= 10; rotation++) {
      const before = queries
      const old = current().user
      await issue()
      await until(`only the new login is connected (${rotation})`, async () => {
        const rows = await database.admin('select from pg_stat_activity where usename = $1', [old])
        return rows.length === 0 && queries > before + 50
      })
      await drop(old)
    }
    running = false
    await load
    expect(failures).toEqual([])
    const [sum] = await trading.query('select sum(n)::int as n from hit')
    expect(sum).toEqual({ n: transactions })
    expect(transactions).toBeGreaterThan(100)
    await db.close()
    await drop(current().user)
  }, 60_000)

  test('a login that the server refuses is asked for anew before anybody fails', async () => {
    const { source, issue, current } = issuer(database)
    await issue()
    const db = await database.another({ credentials: { ...source, subscribe: () => () => {} }, announced: [] })
    await db.query('select 1')
    const old = current().user
    await issue()
    await database.admin('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [old])
    await drop(old)
    expect(await db.query('select session_user::text as me')).toEqual([{ me: current().user }])
    await db.close()
    await drop(current().user)
  })

  test("what a login makes belongs to its owner role, and survives the login's end", async () => {
    const { source, issue, current } = issuer(database)
    await issue()
    const db = await database.another({ credentials: source, announced: [] })
    await db.script('create table public.lasting (id integer)')
    await db.close()
    await drop(current().user)
    expect(
      await database.db.query(`select tableowner::text as owner from pg_tables where tablename = 'lasting'`),
    ).toEqual([{ owner: 'assay_owner' }])
    await database.db.script('drop table public.lasting')
  })
})
