import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import core from '../../package.json'
import { createCluster } from './cluster.ts'
import { migrate, readMigrations } from './migrate.ts'
import { openPglite } from './pglite.ts'

const PGLITE = core.dependencies['@electric-sql/pglite']
/** Filled by the installation and by tests; safe to delete. */
const CACHE = new URL('../../../../node_modules/.cache/assay', import.meta.url).pathname
const QUIET = { info: () => {}, error: () => {} }
const making = new Map<string, Promise<string>>()

/** Where `templateCluster` keeps the database of these migrations. */
export function templatePath(cache = CACHE): string {
  const migrations = readMigrations().map(({ name, checksum }) => `${name} ${checksum}`)
  const content = [PGLITE, ...migrations].join('\n')
  return join(cache, `migrated-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`)
}

/**
 * A migrated, empty database folder in `cache`, made once per PGlite version and set of migrations: a new database is
 * a copy of it, which takes 0.1 s instead of 4. Several processes may make it at once; the first to finish wins.
 */
export function templateCluster(cache = CACHE): Promise<string> {
  const folder = templatePath(cache)
  const made = making.get(folder) ?? makeTemplate(cache, folder)
  making.set(folder, made)
  return made
}

async function makeTemplate(cache: string, folder: string): Promise<string> {
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const empty = join(cache, `empty-${PGLITE}`)
  await once(empty, (unfinished) => createCluster(unfinished))
  await once(folder, async (unfinished) => {
    const home = `${unfinished}.home`
    try {
      const db = await openPglite({ home, template: empty, log: QUIET })
      await migrate(db)
      await db.close()
      renameSync(join(home, 'pg'), unfinished)
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })
  return folder
}

/** Makes a folder under a name of its own and moves it to its place, unless another process was faster. */
async function once(folder: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return
  const unfinished = `${folder}.${crypto.randomUUID()}`
  try {
    await make(unfinished)
    renameSync(unfinished, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}
