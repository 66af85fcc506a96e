import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import core from '../../package.json'
import { migrate, readMigrations } from './migrate.ts'
import { openPglite } from './pglite.ts'

const QUIET = { info: () => {}, error: () => {} }

/**
 * A migrated, empty database folder in `cache`, made once per PGlite version and set of migrations: a new database is
 * a copy of it, which takes 0.1 s instead of 4. Two processes may make it at once; the first to finish wins.
 */
export async function templateCluster(cache: string): Promise<string> {
  const migrations = readMigrations()
  const content = [
    core.dependencies['@electric-sql/pglite'],
    ...migrations.map(({ name, checksum }) => `${name} ${checksum}`),
  ].join('\n')
  const folder = join(cache, `cluster-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const home = `${folder}.${process.pid}`
  try {
    const db = await openPglite({ home, log: QUIET })
    await migrate(db, migrations)
    await db.close()
    renameSync(join(home, 'pg'), folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
  return folder
}
