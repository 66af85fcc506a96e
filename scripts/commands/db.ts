import { existsSync } from 'node:fs'
import { FolderLockedError } from '@assay/core/ports/db/lock'
import { openPglite } from '@assay/core/ports/db/pglite'
import type { Param } from '@assay/core/ports/db/port'
import { auditDatabase } from '../audit/audit.ts'
import { ledgerTotals } from '../audit/books.ts'
import type { Ask } from '../audit/finding.ts'
import { homeOfConfig } from '../instance.ts'
import { parseOptions, UsageError } from '../options.ts'

export const summary =
  'check: proves the books of a stopped data folder (trial balance, chains, outbox); exit 1 names what does not hold'

const quiet = { info: () => {}, error: console.error }

export async function run(argv: string[]): Promise<number> {
  const { positionals } = parseOptions(argv, {})
  if (positionals.length !== 1 || positionals[0] !== 'check') throw new UsageError(`usage: assay db ${summary}`)
  const home = homeOfConfig()
  if (!existsSync(`${home}/pg`)) throw new UsageError(`there is no database in ${home}`)
  try {
    const db = await openPglite({ home, log: quiet })
    try {
      return await check((sql, params) => db.query(sql, params as Param[] | undefined))
    } finally {
      await db.close()
    }
  } catch (error) {
    if (!(error instanceof FolderLockedError)) throw error
    console.error(`assay db: ${error.message}`)
    return 2
  }
}

async function check(ask: Ask): Promise<number> {
  const { findings, counted } = await auditDatabase(ask)
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
