import pg, { type PoolClient, type PoolConfig } from 'pg'
import type { Logins } from './logins.ts'
import { DbError } from './port.ts'
import type { Target, Tls } from './postgres-url.ts'

export interface PoolSettings {
  target: Target
  tls: () => Tls | null
  logins: Logins
  /** connections at most */
  max: number
  /** calls that may wait for a connection at most */
  maxWaiting: number
  /** for a connection, free or new */
  connectMs: number
  statementMs: number
  /** an idle connection is closed after this */
  idleMs: number
  /** one that was idle for so long is asked whether it is still there */
  checkAfterMs: number
}
type Callback = (error: Error | undefined, client: PoolClient | undefined, done: PoolClient['release']) => void

const REFUSED = new Set(['28P01', '28000'])
const CHECK_MS = 2_000

/** Connections of one role. pg's pool, and: logins that change under it, dead connections found before they are used. */
export class RolePool extends pg.Pool {
  private readonly usedAt = new WeakMap<object, number>()
  private foundDeadAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly settings: PoolSettings,
    role: string | null,
  ) {
    super(poolConfig(settings, role))
    settings.logins.onChange(() => void this.retire())
  }

  override connect(): Promise<PoolClient>
  override connect(callback: Callback): void
  override connect(callback?: Callback): Promise<PoolClient> | undefined {
    const taken = this.take()
    if (!callback) return taken
    taken.then(
      (client) => callback(undefined, client, client.release),
      (error) => callback(error, undefined, () => {}),
    )
  }

  /** Idle connections of an old login end now; those in use do so when they are released. */
  private async retire(): Promise<void> {
    const idle = Array.from({ length: this.idleCount }, () => super.connect())
    for (const taken of await Promise.allSettled(idle)) {
      if (taken.status === 'fulfilled') taken.value.release(this.settings.logins.isOld(taken.value))
    }
  }

  private async take(): Promise<PoolClient> {
    for (;;) {
      if (this.waitingCount >= this.settings.maxWaiting) {
        throw new DbError(`${this.waitingCount} calls already wait for a database connection.`, '53300', {
          retryable: true,
        })
      }
      const client = await this.reach()
      if (await this.isAlive(client)) return this.lend(client)
      client.release(true)
    }
  }

  private async reach(): Promise<PoolClient> {
    for (;;) {
      try {
        return await super.connect()
      } catch (error) {
        const { code } = error as { code?: string }
        if (!REFUSED.has(code ?? '') || !(await this.settings.logins.refused())) throw error
      }
    }
  }

  private async isAlive(client: PoolClient): Promise<boolean> {
    if (this.settings.logins.isOld(client)) return false
    const usedAt = this.usedAt.get(client) ?? Number.POSITIVE_INFINITY
    if (usedAt < this.foundDeadAt) return false
    if (performance.now() - usedAt < this.settings.checkAfterMs) return true
    const isThere = await answers(client)
    // what was last used before this is as dead: each would cost its own wait
    if (!isThere) this.foundDeadAt = performance.now()
    return isThere
  }

  private lend(client: PoolClient): PoolClient {
    const { release } = client
    client.release = (destroy) => {
      this.usedAt.set(client, performance.now())
      release(destroy || this.settings.logins.isOld(client))
    }
    return client
  }
}

async function answers(client: PoolClient): Promise<boolean> {
  const ignore = () => {}
  client.on('error', ignore)
  const asked = client.query('').then(
    () => true,
    () => false,
  )
  const isThere = await Promise.race([asked, Bun.sleep(CHECK_MS).then(() => false)])
  if (isThere) client.off('error', ignore)
  return isThere
}

function poolConfig(settings: PoolSettings, role: string | null): PoolConfig {
  const { target, logins } = settings
  class Client extends pg.Client {
    constructor(config: pg.ClientConfig) {
      const { user, password } = logins.latest
      super({ ...config, user, password, ssl: settings.tls() ?? false })
      logins.made(this)
    }
  }
  return {
    host: target.host,
    port: target.port,
    database: target.database,
    application_name: `assay ${role ?? 'owner'}`,
    max: settings.max,
    connectionTimeoutMillis: settings.connectMs,
    idleTimeoutMillis: settings.idleMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    Client: Client as never,
    onConnect: (client: pg.ClientBase) => client.query(sessionOf(role ?? logins.latest.owner ?? null, role, settings)),
  } as PoolConfig
}

/** What a session is from its start: the same as PGlite's, as the role, and never waiting for ever. */
function sessionOf(user: string | null, role: string | null, { statementMs }: PoolSettings): string {
  return [
    `set timezone to 'UTC'`,
    'set datestyle to iso',
    `set statement_timeout to ${statementMs}`,
    `set idle_in_transaction_session_timeout to ${statementMs * 2}`,
    ...(role === null ? [] : [`set search_path to "${role}", bus`]),
    ...(user === null ? [] : [`set role ${pg.escapeIdentifier(user)}`]),
  ].join('; ')
}
