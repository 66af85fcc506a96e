import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, type Environment, environment, readConfig } from '@assay/core/kernel/config'
import { readMoved } from '@assay/core/kernel/moved'
import { FolderLockedError } from '@assay/core/ports/db/lock'
import { MigrationError } from '@assay/core/ports/db/migrate'
import { DbError } from '@assay/core/ports/db/port'
import { DatabaseUrlError } from '@assay/core/ports/db/postgres-url'
import { SecretsError } from '@assay/core/ports/secrets/port'
import { openEnds } from '../migrate/ends.ts'
import { problemsOf, tellPlan } from '../migrate/fit.ts'
import { migrateFolder } from '../migrate/migrate-folder.ts'
import { MigrateError, type Say } from '../migrate/step.ts'
import { parseOptions, UsageError } from '../options.ts'

export const summary =
  '--to URL [--check] [--keep]: moves the stopped data folder to the database of URL and the servers that the environment names; --check only tells, --keep leaves the folder startable'

const EXPECTED = [MigrateError, ConfigError, FolderLockedError, MigrationError, DbError, DatabaseUrlError, SecretsError]

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, {
    to: { type: 'string' },
    check: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  })
  if (positionals.length > 0) throw new UsageError(`usage: assay migrate ${summary}`)
  const env = environment()
  const url = targetOf(values.to, env)
  try {
    return await move(url, env, values)
  } catch (error) {
    if (!EXPECTED.some((kind) => error instanceof kind)) throw error
    console.error(`assay migrate: ${(error as Error).message}`)
    return 2
  }
}

/** The servers are those that the platform will be started with. */
function targetOf(to: string | undefined, { DATABASE_URL }: Environment): string {
  if (!to && !DATABASE_URL) throw new UsageError('--to postgresql://user:password@host:5432/database is missing')
  if (to && DATABASE_URL && to !== DATABASE_URL)
    throw new UsageError('--to and DATABASE_URL name different databases: the platform would start on the second')
  return to ?? DATABASE_URL!
}

async function move(
  url: string,
  env: Environment,
  { check, keep }: { check: boolean; keep: boolean },
): Promise<number> {
  const home = readConfig({ ...env, DATABASE_URL: url }).platform.ASSAY_HOME
  const moved = readMoved(home)
  if (moved) throw new MigrateError(`${home} was moved at ${moved.at} to ${Object.values(moved.to).join(', ')}`)
  if (!existsSync(join(home, 'pg'))) throw new MigrateError(`there is no embedded database in ${home}`)
  const ends = await openEnds(url, env)
  try {
    await tellPlan(ends, say)
    const { problems, claim } = await problemsOf(ends)
    for (const problem of problems) console.error(`assay migrate: ${problem}`)
    if (problems.length > 0) return 1
    if (check) {
      console.log(claim ? 'the interrupted move can go on' : 'the servers can take it; nothing was changed')
      return 0
    }
    await migrateFolder(ends, { claim, keep, say })
    console.log(
      keep
        ? `done; ${home} stays as it is and knows nothing of what happens from now on`
        : `done; start with the same variables: ./assay up (the books: ./assay db check)`,
    )
    return 0
  } finally {
    await ends.close()
  }
}

const start = performance.now()
const say: Say = (part, line) =>
  console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(7)} s  ${part.padEnd(8)}  ${line}`)
