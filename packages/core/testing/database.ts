import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPglite } from '../ports/db/pglite.ts'
import type { Db } from '../ports/db/port.ts'
import { templateCluster } from '../ports/db/template.ts'

export interface TestDatabase {
  db: Db
  /** its data folder; openPglite on it again after `db.close()` is a restart */
  home: string
  /** closes the database and removes the folder */
  drop(): Promise<void>
}

/** A migrated database of its own in a temporary folder. The first one on a machine takes seconds, later ones 0.5 s. */
export async function testDatabase(): Promise<TestDatabase> {
  const template = await templateCluster()
  const home = mkdtempSync(join(tmpdir(), 'assay-db-'))
  const db = await openPglite({ home, template, log: { info: () => {}, error: console.error } })
  const drop = async () => {
    await db.close()
    rmSync(home, { recursive: true, force: true })
  }
  return { db, home, drop }
}
