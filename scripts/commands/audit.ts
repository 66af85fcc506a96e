import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type JournalKeys, trustedKeys } from '@assay/core/domain/journal/keys'
import { type Config, environment, readConfig } from '@assay/core/kernel/config'
import { openDatabase } from '@assay/core/kernel/database'
import { openBlobs } from '@assay/core/kernel/stores'
import { systemClock } from '@assay/core/ports/clock/system'
import { FolderLockedError } from '@assay/core/ports/db/lock'
import { DbError } from '@assay/core/ports/db/port'
import { AUDIT_KEYS_FILE } from '@assay/services/gateway/audit/keys'
import { type AuditVerified, verifyAudit } from '@assay/services/gateway/audit/verify-audit'
import { parseOptions, UsageError } from '../options.ts'

export const summary =
  'verify: recomputes the chains of the audit log and holds them against their signed checkpoints; exit 0 they hold, 1 they do not, 2 can not tell'
const USAGE = `usage: assay audit verify [--tenant T] [--from SEQ] [--keys FILE] [--json]
  of DATABASE_URL and S3_BUCKET, else of the stopped data folder; --keys: the public keys, kept elsewhere`

const quiet = { info: () => {}, warn: console.error, error: console.error }
const STATEMENT_MS = 600_000

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, {
    tenant: { type: 'string' },
    from: { type: 'string' },
    keys: { type: 'string' },
    json: { type: 'boolean', default: false },
  })
  const from = values.from === undefined ? 1 : Number(values.from)
  if (positionals.join(' ') !== 'verify' || !Number.isSafeInteger(from) || from < 1) throw new UsageError(USAGE)
  try {
    const verified = await verify(readConfig(environment()), { tenant: values.tenant, from, keysFile: values.keys })
    if (values.json) console.log(JSON.stringify(verified))
    else print(verified)
    return verified.findings.length === 0 ? 0 : 1
  } catch (error) {
    if (error instanceof UsageError) throw error
    // an exit of 1 would say that the log does not hold
    const isExpected = error instanceof FolderLockedError || error instanceof DbError
    console.error(isExpected ? `assay audit: ${error.message}` : error)
    return 2
  }
}

interface Asked {
  tenant: string | undefined
  from: number
  keysFile: string | undefined
}
async function verify(config: Config, { tenant, from, keysFile }: Asked): Promise<AuditVerified> {
  const { ASSAY_HOME: home, DATABASE_URL } = config.platform
  if (!DATABASE_URL && !existsSync(`${home}/pg`)) throw new UsageError(`there is no database in ${home}`)
  const path = keysFile ?? join(home, AUDIT_KEYS_FILE)
  if (!existsSync(path)) throw new UsageError(`there are no keys in ${path}; --keys FILE names them`)
  const document = JSON.parse(await readFile(path, 'utf8')) as JournalKeys
  const closes: (() => Promise<void>)[] = []
  try {
    const db = await openDatabase(config.platform, quiet, { timeoutMs: STATEMENT_MS })
    closes.push(() => db.close())
    const blobs = await openBlobs({
      config,
      clock: systemClock,
      keep: (_, port) => {
        closes.push(() => port.close())
        return port
      },
      tell: () => {},
    })
    const verified = await verifyAudit({ sql: db, blobs, keys: trustedKeys(document.keys), tenant, from })
    if (tenant !== undefined && verified.chains.length === 0) throw new UsageError(`there is no chain of ${tenant}`)
    return verified
  } finally {
    for (const close of closes.reverse()) await close()
  }
}

function print({ findings, rows, checkpoints, chains }: AuditVerified): void {
  for (const { tenant, seq, hash } of chains) console.log(`${tenant.padEnd(20)} ${String(seq).padStart(10)}  ${hash}`)
  for (const { place, said } of findings) console.log(`BROKEN  ${place} ${said}`)
  console.log(
    `${rows} rows, ${checkpoints} checkpoints: ${findings.length === 0 ? 'all of it holds' : `${findings.length} findings`}`,
  )
}
