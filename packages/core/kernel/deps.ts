import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Clock } from '../ports/clock/port.ts'
import { lockFolder } from '../ports/db/lock.ts'
import { migrate } from '../ports/db/migrate.ts'
import type { Lockstep } from '../ports/marketlog/lockstep.ts'
import { createDbLockstep } from '../ports/marketlog/lockstep-db.ts'
import { createLockstep } from '../ports/marketlog/lockstep-memory.ts'
import { openSecretsFile } from '../ports/secrets/file.ts'
import type { BaseDeps } from './compose.ts'
import type { Config } from './config.ts'
import { openDatabase } from './database.ts'
import { armFailpoints } from './failpoints.ts'
import type { HealthSource } from './health.ts'
import type { Lifecycle } from './lifecycle.ts'
import { openMessaging } from './messaging.ts'
import { refuseMoved } from './moved.ts'
import { startRelay } from './relay.ts'
import { openBlobs, openCache, openMail, openPayments, openVaultSecrets, type StoreParts } from './stores.ts'

export interface DepsOptions {
  config: Config
  log: Logger
  metrics: Registry
  clock: Clock
  lifecycle: Lifecycle
}

/** The adapters that the configuration names. The data folder is locked first, by PGlite itself where that is the database. */
export async function createDeps({ config, log, metrics, clock, lifecycle }: DepsOptions): Promise<BaseDeps> {
  const home = config.platform.ASSAY_HOME
  refuseMoved(home, config.platform)
  if (config.platform.ASSAY_FAILPOINTS) armFailpoints(config.platform.ASSAY_FAILPOINTS)
  const keep = <T extends { close(): Promise<void> }>(name: string, port: T): T => {
    lifecycle.defer(name, () => port.close())
    return port
  }
  const { DATABASE_URL, ASSAY_PEERS } = config.platform
  if (DATABASE_URL && !ASSAY_PEERS) {
    // market log, secrets and blobs are files of one process, wherever the database is
    const unlock = lockFolder(home)
    lifecycle.defer('data folder', async () => unlock())
  }
  const stores: (() => HealthSource)[] = []
  const parts: StoreParts = { config, log, metrics, clock, keep, tell: (source) => void stores.push(source) }
  const vault = await openVaultSecrets(parts)
  const logins = config.platform.VAULT_DATABASE_ROLE ? await vault?.databaseCredentials() : undefined
  const db = keep('db', await openDatabase(config.platform, log, { credentials: logins }))
  const applied = await migrate(db)
  if (applied.length > 0) log.info({ migrations: applied.length }, 'database migrated')
  const { bus, marketlog, expire } = await openMessaging(parts, db)
  keep('outbox relay', startRelay({ db, bus, clock, log, sole: db.kind === 'pglite' }))
  lifecycle.background('topic retention', (signal) => expireHourly(expire, clock, log, signal))
  const groups = new Map<string, Lockstep>()
  return {
    production: config.production,
    home,
    log,
    metrics,
    clock,
    db,
    marketlog,
    lockstep(group) {
      const lockstep =
        groups.get(group) ?? (ASSAY_PEERS ? createDbLockstep(group, { db, clock, log }) : createLockstep(group, clock))
      groups.set(group, lockstep)
      return lockstep
    },
    bus,
    ...(await openCache(parts)),
    secrets:
      vault ?? keep('secrets', await openSecretsFile({ home, encryptionKey: config.platform.ENCRYPTION_KEY, log })),
    blobs: await openBlobs(parts),
    mail: openMail(parts),
    payments: openPayments(parts),
    stores,
  }
}

const HOUR_MS = 3_600_000

async function expireHourly(
  expire: () => Promise<void>,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(HOUR_MS, signal)
    await expire().catch((err) => log.warn({ err }, 'expired events could not be deleted'))
  }
}
