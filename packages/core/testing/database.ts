import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPglite } from '../ports/db/pglite.ts'
import type { Db } from '../ports/db/port.ts'
import { templateCluster } from '../ports/db/template.ts'
import { askedKinds } from './adapters.ts'
import { testPostgres } from './postgres.ts'

export interface TestDatabase {
  db: Db
  /** a folder of its own, PGlite's data folder: openPglite on it again after `db.close()` is a restart */
  home: string
  /** another handle on the same database, as another process has it; PGlite has the one */
  another(): Promise<Db>
  /** closes the database and removes it and the folder */
  drop(): Promise<void>
}

/** A migrated database of its own: on PostgreSQL where the run asks for real servers only, else on PGlite. */
export const testDatabase = (): Promise<TestDatabase> =>
  askedKinds().includes('embedded') ? testPglite() : testPostgres()

/** In a temporary folder. The first one on a machine takes seconds, later ones 0.5 s. */
export async function testPglite(): Promise<TestDatabase> {
  const template = await templateCluster()
  const home = mkdtempSync(join(tmpdir(), 'assay-db-'))
  const db = await openPglite({ home, template, log: { info: () => {}, error: console.error } })
  const drop = async () => {
    await db.close()
    rmSync(home, { recursive: true, force: true })
  }
  return { db, home, another: async () => db, drop }
}

/** For describeAdapters: suites that run on PGlite and on the PostgreSQL server of ASSAY_TEST_DATABASE_URL. */
export const databases = { embedded: testPglite, real: () => testPostgres() }
