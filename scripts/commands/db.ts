import { existsSync } from 'node:fs'
import { environment, readConfig } from '@assay/core/kernel/config'
import { type DatabaseConfig, openDatabase } from '@assay/core/kernel/database'
import { FolderLockedError } from '@assay/core/ports/db/lock'
import { MigrationError, migrate, pending } from '@assay/core/ports/db/migrate'
import { type Db, DbError, type Param } from '@assay/core/ports/db/port'
import { auditDatabase } from '../audit/audit.ts'
import { ledgerTotals } from '../audit/books.ts'
import type { Ask } from '../audit/finding.ts'
import { IN_DATABASE } from '../audit/topics.ts'
import { parseOptions, UsageError } from '../options.ts'

export const summary =
  'check | status | migrate (deploy) | vacuum: of DATABASE_URL, else of the stopped data folder. check proves the books (trial balance, chains, outbox); exit 1 names what does not hold'

const quiet = { info: () => {}, warn: console.error, error: console.error }
const STATEMENT_MS = 600_000

const VERBS: Record<string, (db: Db) => Promise<number>> = {
  check,
  status,
  migrate: apply,
  deploy: apply,
  vacuum,
}

export async function run(argv: string[]): Promise<number> {
  const { positionals } = parseOptions(argv, {})
  const verb = positionals.length === 1 ? VERBS[positionals[0]!] : undefined
  if (!verb) throw new UsageError(`usage: assay db ${summary}`)
  const { platform } = readConfig(environment())
  if (verb !== apply) mustExist(platform)
  try {
    const db = await openDatabase(platform, quiet, { timeoutMs: STATEMENT_MS })
    try {
      return await verb(db)
    } finally {
      await db.close()
    }
  } catch (error) {
    const isExpected = [FolderLockedError, DbError, MigrationError].some((kind) => error instanceof kind)
    if (!isExpected) throw error
    console.error(`assay db: ${(error as Error).message}`)
    return 2
  }
}

function mustExist({ ASSAY_HOME, DATABASE_URL }: DatabaseConfig): void {
  if (!DATABASE_URL && !existsSync(`${ASSAY_HOME}/pg`)) throw new UsageError(`there is no database in ${ASSAY_HOME}`)
}

async function apply(db: Db): Promise<number> {
  const applied = await migrate(db)
  for (const name of applied) console.log(`applied  ${name}`)
  console.log(applied.length === 0 ? 'nothing to apply' : `${applied.length} migrations applied`)
  return 0
}

async function status(db: Db): Promise<number> {
  const missing = await pending(db)
  for (const name of missing) console.log(`missing  ${name}`)
  console.log(missing.length === 0 ? 'every migration is applied' : `${missing.length} to apply: ./assay db migrate`)
  return missing.length === 0 ? 0 : 1
}

async function vacuum(db: Db): Promise<number> {
  await db.query('vacuum analyze')
  console.log('done')
  return 0
}

/** On a server in one snapshot, so that a platform that runs meanwhile does not look wrong. */
async function check(db: Db): Promise<number> {
  return db.tx(async (sql) => {
    await sql.query('set transaction isolation level repeatable read')
    return books((text, params) => sql.query(text, params as Param[] | undefined))
  })
}

async function books(ask: Ask): Promise<number> {
  const onKafka = readConfig(environment()).platform.KAFKA_BROKERS !== undefined
  if (onKafka) console.log('events that were published are on Kafka and are not looked at')
  const { findings, counted } = await auditDatabase(ask, onKafka ? null : IN_DATABASE)
  for (const { currency, ledger, sum } of await ledgerTotals(ask))
    console.log(`${currency.padEnd(5)} ${ledger.padEnd(18)} ${sum.padStart(24)}`)
  console.log(
    Object.entries(counted)
      .map(([name, n]) => `${n} ${name}`)
      .join(', '),
  )
  for (const { rule, place, said } of findings) console.log(`BROKEN  ${rule}: ${place} ${said}`)
  console.log(findings.length === 0 ? 'all of it holds' : `${findings.length} findings`)
  return findings.length === 0 ? 0 : 1
}
