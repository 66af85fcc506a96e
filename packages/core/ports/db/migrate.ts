import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Db, Sql } from './port.ts'
import { ensureRoles } from './roles.ts'

export interface Migration {
  name: string
  sql: string
  /** sha256 of the file */
  checksum: string
}
export class MigrationError extends Error {}

const FOLDER = new URL('../../../../prisma/migrations', import.meta.url).pathname
/** Held by a migrator until its transaction ends; any number that nobody else takes. */
const ADVISORY_LOCK = 72_707_369

/** As `prisma migrate deploy` makes it. */
const CREATE_LEDGER = `create table if not exists _prisma_migrations (
  id                  varchar(36) primary key not null,
  checksum            varchar(64) not null,
  finished_at         timestamptz,
  migration_name      varchar(255) not null,
  logs                text,
  rolled_back_at      timestamptz,
  started_at          timestamptz not null default now(),
  applied_steps_count integer not null default 0
)`

/** The migrations of a folder, in order of their names. */
export function readMigrations(folder = FOLDER): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
    .map((name) => {
      const file = readFileSync(join(folder, name, 'migration.sql'))
      return { name, sql: file.toString(), checksum: createHash('sha256').update(file).digest('hex') }
    })
}

/** Applies what is missing, one transaction each, and returns the names. Any number of processes may call it at once. */
export async function migrate(db: Db, migrations = readMigrations()): Promise<string[]> {
  if ((await pending(db, migrations)).length === 0) return []
  if (db.kind === 'postgres') await ensureRoles(db)
  await locked(db, (sql) => sql.script(CREATE_LEDGER))
  const applied: string[] = []
  for (const migration of migrations) {
    const isNew = await locked(db, async (sql) => {
      if (await isApplied(sql, migration)) return false
      await apply(sql, migration)
      return true
    })
    if (isNew) applied.push(migration.name)
  }
  return applied
}

/** Names of the migrations that are not applied; MigrationError for one that was changed after it was. */
export async function pending(db: Sql, migrations = readMigrations()): Promise<string[]> {
  const [there] = await db.query(
    `select from pg_tables where schemaname = 'public' and tablename = '_prisma_migrations'`,
  )
  if (!there) return migrations.map(({ name }) => name)
  const missing: string[] = []
  for (const migration of migrations) if (!(await isApplied(db, migration))) missing.push(migration.name)
  return missing
}

function locked<T>(db: Db, fn: (sql: Sql) => Promise<T>): Promise<T> {
  return db.tx(async (sql) => {
    // as a script: the one before may take longer than a statement should
    await sql.script(`set local statement_timeout to '10min'; select pg_advisory_xact_lock(${ADVISORY_LOCK})`)
    return fn(sql)
  })
}

async function isApplied(sql: Sql, { name, checksum }: Migration): Promise<boolean> {
  const [row] = await sql.query<{ checksum: string }>(
    'select checksum from _prisma_migrations where migration_name = $1 and rolled_back_at is null',
    [name],
  )
  if (row && row.checksum !== checksum) {
    throw new MigrationError(`The migration ${name} was changed after it was applied; write a new one instead.`)
  }
  return row !== undefined
}

async function apply(sql: Sql, { name, sql: text, checksum }: Migration): Promise<void> {
  const [{ at }] = (await sql.query<{ at: string }>('select clock_timestamp()::text as at')) as [{ at: string }]
  await sql.script(text)
  await sql.query(
    `insert into _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     values ($1, $2, $3, $4::timestamptz, clock_timestamp(), 1)`,
    [crypto.randomUUID(), checksum, name, at],
  )
}
