import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { type TestDatabase, testDatabase } from '../../testing/database.ts'
import { type Migration, migrate, readMigrations } from './migrate.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())
const migration = (name: string, sql: string): Migration => ({
  name,
  sql,
  checksum: createHash('sha256').update(sql).digest('hex'),
})
// `expect(promise).rejects` after an await blocks Bun's event loop: the PGlite thread's answer never arrives
const failure = (work: Promise<unknown>) =>
  work.then(
    () => '',
    (error) => error.message as string,
  )

test('a migrated database has nothing left to apply', async () => {
  expect(await migrate(database.db)).toEqual([])
})

test('each migration is recorded as `prisma migrate deploy` records it', async () => {
  const rows = await database.db.query(
    `select migration_name as name, checksum, applied_steps_count as steps, logs, rolled_back_at as undone, started_at <= finished_at as "inOrder"
     from _prisma_migrations order by migration_name`,
  )
  const expected = readMigrations().map(({ name, checksum }) => ({
    name,
    checksum,
    steps: 1,
    logs: null,
    undone: null,
    inOrder: true,
  }))
  expect(rows).toEqual(expected)
})

test('a migration that fails leaves nothing of itself', async () => {
  const broken = migration('9000_broken', 'create table public.half (id int); select nonsense')
  expect(await failure(migrate(database.db, [broken]))).toContain('nonsense')
  expect(
    await database.db.query(
      `select to_regclass('public.half') as half, (select count(*)::int from _prisma_migrations where migration_name = '9000_broken') as n`,
    ),
  ).toEqual([{ half: null, n: 0 }])
})

test('several at once apply a migration once', async () => {
  const one = migration('9001_once', 'create table public.once (id int)')
  const applied = await Promise.all([1, 2, 3].map(() => migrate(database.db, [one])))
  expect(applied.flat()).toEqual(['9001_once'])
})

test('a migration that was changed after it was applied is refused', async () => {
  await migrate(database.db, [migration('9002_changed', 'select 1')])
  expect(await failure(migrate(database.db, [migration('9002_changed', 'select 2')]))).toContain(
    '9002_changed was changed',
  )
})
