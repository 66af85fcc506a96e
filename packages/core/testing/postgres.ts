import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { environment } from '../kernel/config.ts'
import { migrate } from '../ports/db/migrate.ts'
import type { Db } from '../ports/db/port.ts'
import { openPostgres, type PostgresOptions } from '../ports/db/postgres.ts'
import { templatePath } from '../ports/db/template.ts'
import type { TestDatabase } from './database.ts'

const log = { info: () => {}, warn: () => {}, error: console.error }
const TEMPLATE = `assay_${templatePath().split('-').at(-1)}`
const TEMPLATE_LOCK = 72_707_370

export interface TestPostgres extends TestDatabase {
  /** of its database */
  url: string
  /** another handle, with settings of its own */
  another(options?: Partial<PostgresOptions>): Promise<Db>
  /** a statement outside every pool, as the server's superuser */
  admin(sql: string, params?: unknown[]): Promise<pg.QueryResult['rows']>
}

/** The server that suites use: each takes a database of its own. */
export function testServerUrl(): string {
  const url = environment().ASSAY_TEST_DATABASE_URL
  if (!url) throw new Error('ASSAY_TEST_DATABASE_URL is not set: ./assay test starts a PostgreSQL and sets it.')
  return url
}

/** A migrated database of its own on the server of ASSAY_TEST_DATABASE_URL. */
export async function testPostgres(options: Partial<PostgresOptions> = {}): Promise<TestPostgres> {
  const { url, drop } = await emptyPostgres(await template())
  const opened: Db[] = []
  const another = async (more: Partial<PostgresOptions> = {}) => {
    const db = await openPostgres({ url, log, ...options, ...more })
    opened.push(db)
    return db
  }
  const home = mkdtempSync(join(tmpdir(), 'assay-home-'))
  return {
    db: await another(),
    home,
    url,
    another,
    admin: (sql, params) => asAdmin(url, (client) => client.query(sql, params).then(({ rows }) => rows)),
    async drop() {
      await Promise.all(opened.map((db) => db.close()))
      await drop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** A database of its own: empty, or a copy of `from`. */
export async function emptyPostgres(from = 'template0'): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `assay_test_${crypto.randomUUID().replaceAll('-', '')}`
  await asAdmin(testServerUrl(), (client) => client.query(`create database ${name} template ${from}`))
  return {
    url: withDatabase(testServerUrl(), name),
    drop: () =>
      asAdmin(testServerUrl(), (client) => client.query(`drop database if exists ${name} with (force)`)).then(() => {}),
  }
}

export function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

let made: Promise<string> | undefined
const template = (): Promise<string> => {
  made ??= makeTemplate()
  return made
}
/** The migrated database that others are copies of; processes that start at once wait for the one that makes it. */
async function makeTemplate(): Promise<string> {
  await asAdmin(testServerUrl(), async (client) => {
    await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK])
    const { rows } = await client.query('select from pg_database where datname = $1', [TEMPLATE])
    if (rows.length > 0) return
    const { url, drop } = await emptyPostgres()
    try {
      const db = await openPostgres({ url, log, announced: [] })
      await migrate(db)
      await db.close()
      const name = new URL(url).pathname.slice(1)
      // the server may still be ending the connections that were closed
      await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
      await client.query(`alter database ${name} rename to ${TEMPLATE}`)
    } catch (error) {
      await drop()
      throw error
    }
  })
  return TEMPLATE
}

async function asAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
