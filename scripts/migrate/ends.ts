import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { MARKET_GROUPS } from '@assay/core/contracts/topics/market-data'
import { type Config, type Environment, readConfig } from '@assay/core/kernel/config'
import { openDatabase } from '@assay/core/kernel/database'
import { openLog } from '@assay/core/kernel/log'
import { catalogOf, kafkaConnection } from '@assay/core/kernel/messaging'
import type { Movable } from '@assay/core/kernel/moved'
import { openBlobs, openVaultSecrets } from '@assay/core/kernel/stores'
import { openBlobFolder } from '@assay/core/ports/blobs/folder'
import type { Blobs } from '@assay/core/ports/blobs/port'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Db } from '@assay/core/ports/db/port'
import { readDatabaseUrl } from '@assay/core/ports/db/postgres-url'
import type { KafkaConnection } from '@assay/core/ports/kafka/connection'
import { openKafkaLog } from '@assay/core/ports/marketlog/kafka'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { openSegmentLog } from '@assay/core/ports/marketlog/segments'
import { readSecretsFile } from '@assay/core/ports/secrets/file'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { Registry } from 'prom-client'
import type { SecretsFile } from './move-secrets.ts'
import { MigrateError } from './step.ts'

/** Both ends of a move: what the folder holds, and the servers that take it. */
export interface Ends {
  home: string
  config: Config
  database: { source: Db; target: Db }
  /** null: KAFKA_BROKERS is not set, or bus and market log are there already */
  kafka: {
    connection: KafkaConnection
    groups: string[]
    source: MarketLog
    open: () => MarketLog
    names: string[]
  } | null
  blobs: { source: Blobs; target: Blobs } | null
  secrets: { source: SecretsFile; target: Secrets } | null
  /** where each part goes; no credentials */
  to: Partial<Record<Movable, string>>
  /** parts that stay, and why */
  staying: [part: Movable, reason: string][]
  close(): Promise<void>
}
const STATEMENT_MS = 600_000
const ANSWER_MS = 20_000

/** Opens and locks the folder, and reaches every server that the configuration names; changes neither. */
export async function openEnds(url: string, env: Environment): Promise<Ends> {
  const config = readConfig({ ...env, DATABASE_URL: url })
  const { platform } = config
  const home = platform.ASSAY_HOME
  const { logger: log, close: closeLog } = openLog({ level: 'error', format: 'text' })
  const closing: (() => Promise<void> | void)[] = [closeLog]
  const keep = <T extends { close(): Promise<void> }>(_name: string, port: T): T => {
    closing.push(() => port.close())
    return port
  }
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end()
  }
  const parts = { config, log, metrics: new Registry(), clock: systemClock, keep, tell: () => {} }
  const staying: Ends['staying'] = []
  const to: Ends['to'] = {}
  try {
    const pool = platform.DATABASE_POOL_SIZE
    const source = keep(
      'source',
      await openDatabase({ ASSAY_HOME: home, DATABASE_POOL_SIZE: pool }, log, { timeoutMs: STATEMENT_MS }),
    )

    const vault = await openVaultSecrets(parts)
    const credentials = platform.VAULT_DATABASE_ROLE ? await vault?.databaseCredentials() : undefined
    const target = keep('target', await openDatabase(platform, log, { credentials, timeoutMs: STATEMENT_MS }))
    const { host, port, database } = readDatabaseUrl(url)
    to.database = `${host}:${port}/${database}`

    const kafka = await openKafka()
    const hasBlobs = existsSync(join(home, 'blobs'))
    if (!platform.S3_BUCKET) staying.push(['blobs', `S3_BUCKET is not set: they stay in ${join(home, 'blobs')}`])
    else to.blobs = `${platform.S3_ENDPOINT ?? 'Amazon S3'} ${platform.S3_BUCKET}`
    const blobs =
      platform.S3_BUCKET && hasBlobs
        ? { source: openBlobFolder(join(home, 'blobs')), target: await openBlobs(parts) }
        : null
    if (!vault) staying.push(['secrets', `VAULT_ADDR is not set: they stay in ${join(home, 'secrets.json')}`])
    else to.secrets = platform.VAULT_ADDR!
    const secrets = vault && {
      source: await readSecretsFile({ home, encryptionKey: platform.ENCRYPTION_KEY, log }),
      target: vault,
    }
    return { home, config, database: { source, target }, kafka, blobs, secrets, to, staying, close }

    async function openKafka(): Promise<Ends['kafka']> {
      const connection = kafkaConnection({ config, log })
      const [{ there }] = (await source.query(
        `select to_regclass('bus.segment') is not null and exists (select from bus.segment) as there`,
      )) as [{ there: boolean }]
      if (there && !connection)
        throw new MigrateError('bus and market log of this folder are on Kafka: set KAFKA_BROKERS')
      if (!connection) {
        staying.push([
          'kafka',
          `KAFKA_BROKERS is not set: topics go with the database, the market log stays in ${join(home, 'market-log')}`,
        ])
        return null
      }
      await inTime('KAFKA_BROKERS', reachable(connection))
      if (there) {
        staying.push(['kafka', 'they are on Kafka already'])
        return null
      }
      to.kafka = `${platform.KAFKA_BROKERS.join(',')} ${platform.KAFKA_TOPIC_PREFIX ?? ''}`.trim()
      const folder = join(home, 'market-log')
      const groups = existsSync(folder)
        ? readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
        : []
      const unknown = groups.filter((group) => !MARKET_GROUPS.includes(group as never))
      if (unknown.length > 0) throw new MigrateError(`no market group ${unknown.join(', ')} in this release`)
      return {
        connection,
        groups,
        source: keep('market log', await openSegmentLog({ folder, clock: systemClock, log })),
        open: () => openKafkaLog({ connection, db: target, clock: systemClock, log, groups: MARKET_GROUPS }),
        names: catalogOf(connection, config).map(({ name }) => name),
      }
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function reachable(connection: KafkaConnection): Promise<void> {
  const admin = connection.kafka.admin()
  await admin.connect()
  await admin.describeCluster()
  await admin.disconnect()
}

/** Clients of brokers wait for ever. */
async function inTime(variable: string, work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new MigrateError(`${variable}: no answer within ${ANSWER_MS / 1_000} s`)),
    ANSWER_MS,
  )
  await Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}
