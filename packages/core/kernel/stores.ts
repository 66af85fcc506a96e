import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Counter, type Registry } from 'prom-client'
import { openBlobFolder } from '../ports/blobs/folder.ts'
import type { Blobs } from '../ports/blobs/port.ts'
import { openS3Blobs } from '../ports/blobs/s3.ts'
import { createMemoryCache } from '../ports/cache/memory.ts'
import type { Cache } from '../ports/cache/port.ts'
import { createRedisCache } from '../ports/cache/redis.ts'
import { openRedis } from '../ports/cache/redis-server.ts'
import type { Clock } from '../ports/clock/port.ts'
import { readDatabaseUrl } from '../ports/db/postgres-url.ts'
import { createMemoryLimits } from '../ports/limits/memory.ts'
import type { Limits } from '../ports/limits/port.ts'
import { createRedisLimits } from '../ports/limits/redis.ts'
import { openMailFolder } from '../ports/mail/folder.ts'
import type { Mail } from '../ports/mail/port.ts'
import { openSmtp } from '../ports/mail/smtp.ts'
import { createNoPayments } from '../ports/payments/none.ts'
import type { Payments } from '../ports/payments/port.ts'
import { createTestPayments } from '../ports/payments/test-provider.ts'
import { createMemoryPresence } from '../ports/presence/memory.ts'
import type { Presence } from '../ports/presence/port.ts'
import { createRedisPresence } from '../ports/presence/redis.ts'
import type { Secrets } from '../ports/secrets/port.ts'
import { openVault } from '../ports/secrets/vault.ts'
import { POD_TOKEN_FILE, type VaultLogin } from '../ports/secrets/vault-login.ts'
import { redisUrl } from './config/stores.ts'
import type { Config } from './config.ts'
import type { HealthSource } from './health.ts'

export interface StoreParts {
  config: Config
  log: Logger
  metrics: Registry
  clock: Clock
  /** closes it with the platform */
  keep: <T extends { close(): Promise<void> }>(name: string, port: T) => T
  /** what /health says of a store */
  tell: (source: () => HealthSource) => void
}
interface Away {
  away(): string | null
  /** where nothing else asks the server often: makes `away` the answer of now */
  look?: (() => Promise<unknown>) | undefined
}
/** Who asks for health makes a server be looked at, this often at most; */
const LOOK_EVERY_MS = 2_000
/** one that has not answered for so long is away, however long a call may take. */
const PATIENCE_MS = 3_000

function told(name: string, kind: string, { away, look }: Away, clock: Clock): () => HealthSource {
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking = false
  return () => {
    const now = clock.monotonic()
    if (look && !looking && now - lookedAt >= LOOK_EVERY_MS) {
      lookedAt = now
      looking = true
      const done = () => {
        looking = false
      }
      look().then(done, done)
    }
    const silentMs = looking ? now - lookedAt : 0
    const reason = away() ?? (silentMs > PATIENCE_MS ? `no answer for ${Math.round(silentMs / 1000)} s` : null)
    return {
      stores: { [name]: { kind, ...(reason !== null && { away: reason }) } },
      ...(reason !== null && { degraded: [`${name}: ${kind} is away: ${reason}`] }),
    }
  }
}
const pem = (path: string | undefined): string | undefined => path && readFileSync(path, 'utf8')

/** Redis where it is configured, else the memory of this process. */
export async function openCache({
  config,
  log,
  clock,
  keep,
  tell,
}: StoreParts): Promise<{ cache: Cache; limiter: Limits; presence: Presence }> {
  const url = redisUrl(config.platform)
  if (!url)
    return {
      cache: keep('cache', createMemoryCache(clock)),
      limiter: keep('limiter', createMemoryLimits(clock)),
      presence: keep('presence', createMemoryPresence()),
    }
  const redis = keep('redis', await openRedis({ url, ca: pem(config.platform.REDIS_CA_FILE), clock, log }))
  tell(told('cache', redis.cluster ? 'redis cluster' : 'redis', { away: () => redis.away() }, clock))
  return {
    cache: keep('cache', createRedisCache({ redis, clock })),
    limiter: keep('limiter', createRedisLimits({ redis })),
    presence: keep('presence', createRedisPresence({ redis })),
  }
}

/** Vault where it is configured; null: the secrets file, which is opened behind the lock of the data folder. */
export async function openVaultSecrets({
  config,
  log,
  metrics,
  clock,
  keep,
  tell,
}: StoreParts): Promise<Secrets | null> {
  const { VAULT_ADDR: address, VAULT_DATABASE_ROLE: role, VAULT_CACERT, DATABASE_URL } = config.platform
  if (!address) return null
  const operations = new Counter({
    name: 'vault_operations_total',
    help: 'Requests to the secrets server',
    labelNames: ['operation'],
    registers: [metrics],
  })
  const secrets = await openVault({
    address,
    login: vaultLogin(config),
    ca: pem(VAULT_CACERT),
    clock,
    log,
    onOperation: (operation) => operations.inc({ operation }),
    ...(role && DATABASE_URL && { database: { role, owner: ownerOf(DATABASE_URL) } }),
  })
  tell(told('secrets', 'vault', secrets, clock))
  return keep('secrets', secrets)
}

function vaultLogin({ platform, production }: Config): VaultLogin {
  const { VAULT_ROLE_ID, VAULT_SECRET_ID, VAULT_KUBERNETES_ROLE, VAULT_TOKEN } = platform
  if (VAULT_ROLE_ID && VAULT_SECRET_ID) return { method: 'approle', roleId: VAULT_ROLE_ID, secretId: VAULT_SECRET_ID }
  if (VAULT_KUBERNETES_ROLE) return { method: 'kubernetes', role: VAULT_KUBERNETES_ROLE, tokenFile: POD_TOKEN_FILE }
  return { method: 'token', token: VAULT_TOKEN ?? '', refuseRoot: production }
}

/** The user that DATABASE_URL names owns the platform's objects; issued logins act as it. */
const ownerOf = (url: string): string => readDatabaseUrl(url).user

/** S3 where it is configured, else a folder. */
export async function openBlobs({
  config,
  clock,
  keep,
  tell,
}: Pick<StoreParts, 'config' | 'clock' | 'keep' | 'tell'>): Promise<Blobs> {
  const { ASSAY_HOME, S3_BUCKET: bucket, S3_REGION: region, S3_ENDPOINT: endpoint } = config.platform
  if (!bucket) return keep('blobs', openBlobFolder(join(ASSAY_HOME, 'blobs')))
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = config.platform
  const blobs = await openS3Blobs({ bucket, region, endpoint, accessKeyId, secretAccessKey, clock })
  tell(told('blobs', 's3', { away: () => blobs.away(), look: () => blobs.has('health') }, clock))
  return keep('blobs', blobs)
}

/** A mail server where it is configured, else files. */
export function openMail({ config, clock, keep, tell }: StoreParts): Mail {
  const { ASSAY_HOME, SMTP_URL: url, SMTP_CA_FILE, MAIL_FROM: from } = config.platform
  if (!url) return keep('mail', openMailFolder({ folder: join(ASSAY_HOME, 'mail'), from }))
  const mail = openSmtp({ url, from, ca: pem(SMTP_CA_FILE), clock })
  tell(told('mail', 'smtp', mail, clock))
  return keep('mail', mail)
}

/** The provider for tests pays whatever is asked: in production only for whoever wants that. */
export function openPayments({ config, keep }: Pick<StoreParts, 'config' | 'keep'>): Payments {
  const isTest = !config.production || config.platform.PAYMENTS === 'test'
  return keep('payments', isTest ? createTestPayments() : createNoPayments())
}
