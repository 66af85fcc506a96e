import { hash } from 'node:crypto'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { Logger } from 'pino'
import { AssayError } from '../../contracts/errors.ts'
import type { Clock } from '../clock/port.ts'

export interface RedisServerOptions {
  /** redis:// or rediss:// (TLS) */
  url: string
  /** all keys begin with it; no braces */
  prefix?: string
  /** PEM of the authority that signed the server's certificate; absent: the system's authorities */
  ca?: string | undefined
  clock: Clock
  log: Pick<Logger, 'warn' | 'info'>
  /** longest wait for an answer */
  timeoutMs?: number
}
type Argument = string | number
export type RedisClient = Redis | Cluster
export type Script = (keys: readonly string[], args: readonly Argument[]) => Promise<unknown>

/** A connection to Redis, or a cluster of them (found by asking). Nothing waits longer than `timeoutMs`. */
export interface RedisServer {
  readonly cluster: boolean
  /** runs a command; rejects with AssayError unavailable while the server is away, at once when that is known */
  call<T>(command: (client: RedisClient) => Promise<T>): Promise<T>
  /** a script that runs in one step; its keys must be of one owner */
  script(lua: string): Script
  /** the key of something an owner has: all keys of one owner and kind stand in one slot, and show nothing of the owner */
  key(kind: string, owner: string, name?: string): string
  /** why it is away, or null */
  away(): string | null
  close(): Promise<void>
}

const CONNECT_MS = 2_000
const FIRST_CONNECT_MS = 10_000
const LONGEST_PAUSE_MS = 1_000
/** Without an answer for this long the connection is made anew: it may lead nowhere. */
const RECONNECT_AFTER_MS = 3_000
const PROBE_EVERY_MS = 100
/** Replies that say the server cannot serve now. */
const NOT_NOW = /^(LOADING|READONLY|MISCONF|OOM|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|NOREPLICAS|BUSY|UNKILLABLE)/

export async function openRedis(options: RedisServerOptions): Promise<RedisServer> {
  const { url, prefix = 'assay:', ca, clock, log, timeoutMs = 1_000 } = options
  const settings: RedisOptions = {
    // scripts are sent at once: limits gather theirs, the others are few
    enableAutoPipelining: true,
    autoPipeliningIgnoredCommands: ['evalsha', 'eval', 'ping'],
    connectTimeout: CONNECT_MS,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 1,
    // a command that was sent and not answered may have run: its caller decides
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(25 * 2 ** times, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 4),
    ...(ca !== undefined && { tls: { ca } }),
  }
  let problem: string | null = null
  let frozen = false
  let closed = false
  const watched = <C extends RedisClient>(client: C): C => {
    client.on('error', (error: Error) => {
      if (problem === null && !closed) log.warn({ reason: error.message }, 'redis is away')
      problem = error.message || error.name
    })
    client.on('ready', () => {
      if (problem !== null) log.info({}, 'redis is back')
      problem = null
    })
    return client
  }
  const { client, cluster } = await connect(url, settings, watched, () => problem)

  /** The connection stands and nothing comes back: callers are told at once until a ping is answered. */
  async function thaw(): Promise<void> {
    const since = clock.monotonic()
    let renewed = since
    while (!closed) {
      const answered = await client.ping().then(
        () => true,
        () => false,
      )
      if (answered) break
      problem = `no answer for ${Math.round((clock.monotonic() - since) / 1_000) + 1} s`
      if (!cluster && clock.monotonic() - renewed > RECONNECT_AFTER_MS && client.status === 'ready') {
        renewed = clock.monotonic()
        client.disconnect(true)
      }
      await clock.sleep(PROBE_EVERY_MS)
    }
    frozen = false
    if (problem !== null && !closed) log.info({}, 'redis is back')
    problem = null
  }
  const unavailable = (cause: unknown): AssayError =>
    new AssayError('unavailable', 'A store this needs is not available now.', { retryAfterS: 1, cause })

  async function call<T>(command: (to: RedisClient) => Promise<T>): Promise<T> {
    if (frozen || client.status !== 'ready') throw unavailable(new Error(problem ?? client.status))
    try {
      return await command(client)
    } catch (error) {
      const { name, message } = error as Error
      if (name === 'ReplyError' && !NOT_NOW.test(message)) throw error
      if (message === 'Command timed out' && !frozen) {
        frozen = true
        problem = `no answer within ${timeoutMs} ms`
        log.warn({ reason: problem }, 'redis is away')
        void thaw()
      }
      throw unavailable(error)
    }
  }

  return {
    cluster,
    call,
    script: (lua) => {
      const sha = new Bun.CryptoHasher('sha1').update(lua).digest('hex')
      return (keys, args) =>
        call(async (to) => {
          try {
            return await to.evalsha(sha, keys.length, ...keys, ...args)
          } catch (error) {
            if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
            return to.eval(lua, keys.length, ...keys, ...args)
          }
        })
    },
    key: (kind, owner, name) => `${prefix}${kind}:{${tagOf(owner)}}${name === undefined ? '' : `:${name}`}`,
    away: () => (closed ? null : (problem ?? (client.status === 'ready' ? null : client.status))),
    async close() {
      closed = true
      client.disconnect()
    },
  }
}

type Watch = <C extends RedisClient>(client: C) => C

/** Waits for the first connection, not for ever: a wrong address or password stops the start. */
async function connect(url: string, settings: RedisOptions, watched: Watch, problem: () => string | null) {
  const single = watched(new Redis(url, { ...settings }))
  try {
    await ready(single, problem)
    if (!/cluster_enabled:1/.test(await single.info('cluster'))) return { client: single, cluster: false }
  } catch (error) {
    single.disconnect()
    throw error
  }
  const { host, port, username, password, tls } = single.options
  single.disconnect()
  const redisOptions = { ...settings, username, password, ...(tls && { tls }) }
  const client = watched(
    new Cluster([{ host: host!, port: port! }], {
      redisOptions,
      enableOfflineQueue: false,
      slotsRefreshTimeout: CONNECT_MS,
      clusterRetryStrategy: settings.retryStrategy!,
    }),
  )
  try {
    await ready(client, problem)
  } catch (error) {
    client.disconnect()
    throw error
  }
  return { client, cluster: true }
}

async function ready(client: RedisClient, problem: () => string | null): Promise<void> {
  const refused = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid)|ENOTFOUND|certificate/
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const say = (reason: string | null) =>
    reject(new Error(`REDIS_URL: no connection to the Redis server: ${reason ?? 'no answer'}`))
  const timer = setTimeout(() => say(problem()), FIRST_CONNECT_MS)
  client.once('ready', resolve)
  client.on('error', (error: Error) => refused.test(error.message) && say(error.message))
  try {
    await promise
  } finally {
    clearTimeout(timer)
  }
}

/** 96 bits of a hash: short, in one slot, and an e-mail address does not stand in a key. */
const tagOf = (owner: string): string => hash('sha256', owner, 'base64url').slice(0, 16)
