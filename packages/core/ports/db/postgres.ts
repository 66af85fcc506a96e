import pg from 'pg'
import type { Logger } from 'pino'
import { Announcer } from './announcer.ts'
import { type CredentialSource, fixedCredentials } from './credentials.ts'
import { withoutEffect } from './failure.ts'
import { Logins } from './logins.ts'
import { PgDb } from './pg-db.ts'
import type { Db } from './port.ts'
import { describeTarget, readDatabaseUrl, type Target, type Tls } from './postgres-url.ts'
import { retried } from './retry.ts'
import { type PoolSettings, RolePool } from './role-pool.ts'
import { Watch } from './watch.ts'

export interface PostgresOptions {
  url: string
  log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** logins that change; by default the URL's own */
  credentials?: CredentialSource
  /** connections of each role; 4 */
  connections?: number
  /** per statement, on the server; 10 s */
  timeoutMs?: number
  /** per script; 10 min */
  scriptTimeoutMs?: number
  /** to get a connection; 5 s */
  connectMs?: number
  /** how long what certainly had no effect is tried again; 2 s */
  retryMs?: number
  /** a connection that was idle for so long is asked whether it is still there; 10 s */
  checkAfterMs?: number
  /** tables whose commits other processes hear of */
  announced?: readonly string[]
}
/** PostgreSQL, or what speaks its protocol. */
export interface ServerKind {
  product: 'PostgreSQL' | 'CockroachDB'
  version: string
}

/** The network's share of a time-out: the server's own answer comes first. */
const GRACE_MS = 2_000
const CLOSE_MS = 3_000
const ANNOUNCED = ['bus.outbox', 'bus.topic_event']

/** A database server. Fails when it can't be reached or refuses the login; afterwards lost connections are made again. */
export async function openPostgres(options: PostgresOptions): Promise<Db> {
  const { url, log, timeoutMs = 10_000, connectMs = 5_000, retryMs = 2_000, connections = 4 } = options
  const target = readDatabaseUrl(url)
  const login = { user: target.user, password: target.password ?? '', expiresAt: null }
  const logins = await Logins.open(options.credentials ?? fixedCredentials(login))
  try {
    const { tls, kind } = await retried(retryMs, () => probe(target, logins, connectMs))
    log.info({ server: describeTarget(target), ...kind, tls: tls !== null }, 'database server found')
    if (target.sslmode === 'prefer' && tls === null)
      log.warn({ host: target.host }, 'the database connection is not encrypted')
    return assemble({
      options,
      kind,
      retryMs,
      settings: {
        target,
        tls: () => tls,
        logins,
        max: connections,
        maxWaiting: 2_000,
        connectMs,
        statementMs: timeoutMs,
        idleMs: 30_000,
        checkAfterMs: options.checkAfterMs ?? 10_000,
      },
    })
  } catch (error) {
    await logins.close()
    throw error
  }
}

interface Parts {
  options: PostgresOptions
  kind: ServerKind
  retryMs: number
  settings: PoolSettings
}
async function assemble({ options, kind, retryMs, settings }: Parts): Promise<Db> {
  const { log, announced = ANNOUNCED, scriptTimeoutMs = 600_000 } = options
  const watched = new Watch()
  const pools: RolePool[] = []
  const hints = kind.product === 'PostgreSQL' && announced.length > 0
  const announcer = hints
    ? new Announcer({
        client: () => newClient(settings.target, settings.tls(), settings.logins, settings.connectMs),
        watched,
        tables: announced,
        log,
      })
    : undefined
  await announcer?.start()
  settings.logins.onChange(() => void announcer?.renew())
  const pool = (role: string | null) => {
    const made = new RolePool(settings, role)
    made.on('error', (error) => log.warn({ err: error, role }, 'database connection lost'))
    pools.push(made)
    return made
  }
  let closing: Promise<void> | undefined
  const end = async () => {
    await announcer?.close()
    // a server that is away never says goodbye
    await Promise.race([Promise.all(pools.map((made) => made.end())), Bun.sleep(CLOSE_MS)])
    await settings.logins.close()
  }
  const server = {
    kind: 'postgres' as const,
    connections: settings.max,
    timeoutMs: settings.statementMs + GRACE_MS,
    scriptTimeoutMs,
    retryMs,
    exchangeIsTransaction: kind.product === 'PostgreSQL',
    pool,
    committed: (texts: readonly string[]) => announcer?.committed(texts),
    close() {
      closing ??= end()
      return closing
    },
  }
  return new PgDb(server, null, watched)
}

/** One connection: is TLS there, who answers? */
async function probe(
  target: Target,
  logins: Logins,
  connectMs: number,
): Promise<{ tls: Tls | null; kind: ServerKind }> {
  for (const tls of attempts(target)) {
    const client = newClient(target, tls, logins, connectMs)
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query<{ version: string }>('select version()')
      return { tls, kind: kindOf(rows[0]!.version) }
    } catch (error) {
      const isPlain =
        target.sslmode === 'prefer' && tls !== null && /does not support SSL/.test((error as Error).message)
      if (!isPlain) throw withoutEffect(error)
    } finally {
      await client.end().catch(() => {})
    }
  }
  throw new Error('unreachable')
}

/** prefer tries TLS first; allow, as a server asks for it only by refusing, is served like disable. */
const attempts = ({ tls, sslmode }: Target): (Tls | null)[] => (sslmode === 'prefer' && tls ? [tls, null] : [tls])

export function kindOf(version: string): ServerKind {
  const [, cockroach] = /^CockroachDB \S+ (v\S+)/.exec(version) ?? []
  if (cockroach) return { product: 'CockroachDB', version: cockroach }
  return { product: 'PostgreSQL', version: /^PostgreSQL (\S+)/.exec(version)?.[1] ?? version }
}

function newClient({ host, port, database }: Target, tls: Tls | null, logins: Logins, connectMs: number): pg.Client {
  const { user, password } = logins.latest
  return new pg.Client({
    host,
    port,
    database,
    user,
    password,
    ssl: tls ?? false,
    application_name: 'assay',
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
}
