import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AssayError } from '@assay/core/contracts/errors'
import { auditSecrets } from '@assay/core/kernel/audited-secrets'
import { type Config, ConfigError, environment, readConfig } from '@assay/core/kernel/config'
import { openDatabase } from '@assay/core/kernel/database'
import { openLog } from '@assay/core/kernel/log'
import { openVaultSecrets } from '@assay/core/kernel/stores'
import { systemClock } from '@assay/core/ports/clock/system'
import { FolderLockedError, lockFolder } from '@assay/core/ports/db/lock'
import { pending } from '@assay/core/ports/db/migrate'
import { type Db, DbError } from '@assay/core/ports/db/port'
import { encryptionKeyWeakness, parseEncryptionKey, replaceOwnKey } from '@assay/core/ports/secrets/encryption-key'
import { openSecretsFile, rewrapSecretsFile } from '@assay/core/ports/secrets/file'
import { type Secrets, SecretsError } from '@assay/core/ports/secrets/port'
import { replaceEmailIndex } from '@assay/services/gateway/privacy/replace-email-index'
import { sealAnew } from '@assay/services/gateway/privacy/seal-anew'
import { Registry } from 'prom-client'
import { parseOptions, UsageError } from '../options.ts'

export const summary =
  'encryption-key [--new FILE] | fields | email-index: replaces the keys of the secrets file; seals personal fields under the newest key; replaces the key that e-mails are found by. Of a stopped platform, fields with Vault beside a running one; ended half-way, the same call goes on'

const STATEMENT_MS = 600_000
const EXPECTED = [ConfigError, FolderLockedError, DbError, SecretsError, AssayError]

const VERBS: Record<string, (config: Config, file?: string) => Promise<string>> = {
  'encryption-key': encryptionKey,
  fields: (config) =>
    onStores(config, async (db, store) => `done: ${await sealAnew(db, store)} rows are sealed under the newest keys`, {
      beside: true,
    }),
  'email-index': (config) =>
    onStores(config, async (db, store) => {
      await refuseGateways(db)
      const { users, invitations } = await replaceEmailIndex(db, store)
      return `done: ${users} users and ${invitations} invitations are found by a new key`
    }),
}

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, { new: { type: 'string' } })
  const [what = ''] = positionals
  const verb = positionals.length === 1 && Object.hasOwn(VERBS, what) ? VERBS[what] : undefined
  if (!verb || (verb !== encryptionKey && values.new)) throw new UsageError(`usage: assay rotate ${summary}`)
  try {
    console.log(await verb(readConfig(environment()), values.new))
    return 0
  } catch (error) {
    if (!EXPECTED.some((kind) => error instanceof kind)) throw error
    console.error(`assay rotate: ${reasonOf(error as Error)}`)
    return 1
  }
}

/** A store that went away says why in the cause. */
const reasonOf = (error: Error): string =>
  error instanceof AssayError
    ? `${error.message} (${(error.cause as Error | undefined)?.message}) The same call goes on when it is back.`
    : error.message

async function encryptionKey({ platform }: Config, file?: string): Promise<string> {
  const { ASSAY_HOME: home, ENCRYPTION_KEY: old, VAULT_ADDR } = platform
  if (VAULT_ADDR)
    throw new UsageError(
      'the secrets are in Vault, which keeps its keys itself: replace those there, then ./assay rotate fields (docs/runbooks/keys.md)',
    )
  if (!existsSync(join(home, 'secrets.json'))) throw new UsageError(`there is no secrets file in ${home}`)
  if (old === undefined && file) throw new UsageError('ENCRYPTION_KEY is not set: the folder keeps its key itself')
  if (old !== undefined && !file)
    throw new UsageError('--new FILE names the file with the next ENCRYPTION_KEY: openssl rand -base64 32 > FILE')
  const unlock = lockFolder(home)
  try {
    if (old === undefined || !file) {
      await replaceOwnKey(home, (from, to) => rewrapSecretsFile(home, from, to))
      return `done: ${join(home, 'encryption.key')} is a new one`
    }
    const next = readFileSync(file, 'utf8').trim()
    const weakness = encryptionKeyWeakness(next)
    if (weakness) throw new UsageError(`${file}: ${weakness}`)
    const isNew = await rewrapSecretsFile(home, parseEncryptionKey(old), parseEncryptionKey(next))
    return `${isNew ? 'done' : 'nothing to do'}: the ENCRYPTION_KEY is that of ${file}`
  } finally {
    unlock()
  }
}

/**
 * Opens database and secrets as the platform would, with what is done to them in the audit log. `beside`: a platform
 * whose database and secrets are both on servers may run on the folder meanwhile.
 */
async function onStores(
  config: Config,
  work: (db: Db, store: Secrets) => Promise<string>,
  { beside = false } = {},
): Promise<string> {
  const { ASSAY_HOME: home, ENCRYPTION_KEY, DATABASE_URL, VAULT_ADDR, VAULT_DATABASE_ROLE } = config.platform
  if (!DATABASE_URL && !existsSync(join(home, 'pg'))) throw new UsageError(`there is no database in ${home}`)
  if (!VAULT_ADDR && !existsSync(join(home, 'secrets.json')))
    throw new UsageError(`VAULT_ADDR is not set, and there is no secrets file in ${home}`)
  const { logger: log, close: closeLog } = openLog({ level: 'error', format: 'text' })
  const closing: (() => Promise<void> | void)[] = [closeLog]
  const keep = <T extends { close(): Promise<void> }>(_: string, port: T): T => {
    closing.push(() => port.close())
    return port
  }
  try {
    if (DATABASE_URL && !(beside && VAULT_ADDR)) closing.push(lockFolder(home))
    const parts = { config, log, metrics: new Registry(), clock: systemClock, keep, tell: () => {} }
    const vault = await openVaultSecrets(parts)
    const credentials = VAULT_DATABASE_ROLE ? await vault?.databaseCredentials() : undefined
    const db = keep('db', await openDatabase(config.platform, log, { credentials, timeoutMs: STATEMENT_MS }))
    if ((await pending(db)).length > 0) throw new UsageError('migrations are missing: ./assay db migrate')
    const store = vault ?? keep('secrets', await openSecretsFile({ home, encryptionKey: ENCRYPTION_KEY, log }))
    const audit = auditSecrets({ db, clock: systemClock })
    const done = await work(db, audit.of('gateway', store))
    await audit.flush()
    return done
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

/** A gateway that runs would find nobody any more. */
async function refuseGateways(db: Db): Promise<void> {
  const gateways = await db.query(
    `select from pg_stat_activity where datname = current_database() and application_name = 'assay gateway'`,
  )
  if (db.kind !== 'pglite' && gateways.length > 0)
    throw new UsageError('a gateway runs on this database: stop all of them first')
}
