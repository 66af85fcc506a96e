import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeReal } from '../../testing/adapters.ts'
import { emptyPostgres, withDatabase } from '../../testing/postgres.ts'
import { migrate, pending, readMigrations } from './migrate.ts'
import { openPostgres } from './postgres.ts'

const log = { info: () => {}, warn: () => {}, error: console.error }
const open = (url: string) => openPostgres({ url, log, announced: [] })
const MIGRATE = `import { migrate } from './migrate.ts'
import { openPostgres } from './postgres.ts'
const log = { info() {}, warn() {}, error: console.error }
const db = await openPostgres({ url: process.argv[1], log, announced: [] })
console.log((await migrate(db)).length)
await db.close()
process.exit(0)`

describeReal('migrations on a server', () => {
  let empty: Awaited<ReturnType<typeof emptyPostgres>>
  beforeAll(async () => {
    empty = await emptyPostgres()
  })
  afterAll(() => empty.drop())

  test('three processes that start at once on an empty database apply each migration once', async () => {
    const processes = [1, 2, 3].map(() =>
      Bun.spawn([process.execPath, '-e', MIGRATE, empty.url], { cwd: import.meta.dir, stdout: 'pipe', stderr: 'pipe' }),
    )
    const applied = await Promise.all(processes.map(async (one) => Number(await new Response(one.stdout).text())))
    for (const one of processes) expect([await one.exited, await new Response(one.stderr).text()]).toEqual([0, ''])
    expect(applied.reduce((sum, n) => sum + n, 0)).toBe(readMigrations().length)
    const db = await open(empty.url)
    const rows = await db.query<{ name: string }>('select migration_name as name from _prisma_migrations order by 1')
    expect(rows.map(({ name }) => name)).toEqual(readMigrations().map(({ name }) => name))
    expect(await pending(db)).toEqual([])
    await db.close()
  }, 30_000)

  test('an owner without superuser rights, who may make roles, migrates and acts as each service', async () => {
    const admin = await open(empty.url)
    const owner = `owner_${crypto.randomUUID().slice(0, 8)}`
    const name = `${owner}_db`
    await admin.query(`create role ${owner} login password 'p' createrole`)
    await admin.query(`create database ${name} owner ${owner}`)
    const url = new URL(withDatabase(empty.url, name))
    url.username = owner
    url.password = 'p'
    const db = await open(url.href)
    expect(await migrate(db)).toEqual(readMigrations().map((migration) => migration.name))
    expect(await db.as('trading').query('select count(*)::int as n from slot')).toEqual([{ n: 64 }])
    await db.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.script(`drop owned by ${owner}; drop role ${owner}`)
    await admin.close()
  }, 30_000)

  test('a login that may not make roles is told what somebody has to run', async () => {
    const admin = await open(empty.url)
    const poor = `poor_${crypto.randomUUID().slice(0, 8)}`
    const name = `${poor}_db`
    await admin.query(`create role ${poor} login password 'p'`)
    await admin.query(`create database ${name} owner ${poor}`)
    const url = new URL(withDatabase(empty.url, name))
    url.username = poor
    url.password = 'p'
    const db = await open(url.href)
    const said = await migrate(db).then(
      () => 'migrated',
      (error) => error.message as string,
    )
    expect(said).toContain('Give it CREATEROLE')
    await db.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.script(`drop owned by ${poor}; drop role ${poor}`)
    await admin.close()
  })
})
