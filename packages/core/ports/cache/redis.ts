import { AssayError } from '../../contracts/errors.ts'
import type { Clock } from '../clock/port.ts'
import type { Cache } from './port.ts'
import type { RedisServer } from './redis-server.ts'

export interface RedisCacheOptions {
  redis: RedisServer
  clock: Clock
  /** how long one process may load a key before another may too */
  lockMs?: number
}

const LOOK_EVERY_MS = 20
/** Only who holds the lock gives it back. */
const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

/**
 * The cache that all processes share. While Redis is away `load` loads without keeping, one loader per key in each
 * process; everything else rejects with unavailable: a token that can't be looked up is not a token that is gone.
 */
export function createRedisCache({ redis, clock, lockMs = 5_000 }: RedisCacheOptions): Cache {
  const loading = new Map<string, Promise<unknown>>()
  const unlock = redis.script(UNLOCK)
  const valueKey = (key: string): string => redis.key('cache', key)
  const lockKey = (key: string): string => redis.key('cache', key, 'lock')
  const ttl = (ms: number): number => Math.max(1, Math.ceil(ms))

  async function read<T>(key: string): Promise<T | null> {
    const json = await redis.call((client) => client.get(valueKey(key)))
    return json === null ? null : (JSON.parse(json) as T)
  }
  async function write(key: string, value: unknown, ttlMs: number): Promise<void> {
    await redis.call((client) => client.set(valueKey(key), JSON.stringify(value), 'PX', ttl(ttlMs)))
  }

  /** The value another process has loaded meanwhile, or the right to load it: at the latest when its lock is over. */
  async function valueOrLock<T>(key: string, token: string): Promise<{ value: T | null; locked: boolean }> {
    const end = clock.monotonic() + lockMs
    for (;;) {
      const value = await read<T>(key)
      if (value !== null) return { value, locked: false }
      const answer = await redis.call((client) => client.set(lockKey(key), token, 'PX', ttl(lockMs), 'NX'))
      if (answer !== null || clock.monotonic() >= end) return { value: null, locked: answer !== null }
      await clock.sleep(LOOK_EVERY_MS)
    }
  }

  async function loadShared<T>(key: string, ttlMs: number, loader: () => Promise<T>): Promise<T> {
    const token = crypto.randomUUID()
    const found = await valueOrLock<T>(key, token).catch(nullWhileAway)
    if (found && found.value !== null) return found.value
    try {
      const value = await loader()
      if (found) await write(key, value, ttlMs).catch(nullWhileAway)
      return value
    } finally {
      // one that can't be given back is over by itself
      if (found?.locked) await unlock([lockKey(key)], [token]).catch(nullWhileAway)
    }
  }

  return {
    get: read,
    set: write,
    async add(key, value, ttlMs) {
      const set = await redis.call((client) => client.set(valueKey(key), JSON.stringify(value), 'PX', ttl(ttlMs), 'NX'))
      return set !== null
    },
    async take<T>(key: string) {
      const json = await redis.call((client) => client.getdel(valueKey(key)))
      return json === null ? null : (JSON.parse(json) as T)
    },
    async delete(key) {
      await redis.call((client) => client.del(valueKey(key)))
    },
    load<T>(key: string, ttlMs: number, loader: () => Promise<T>) {
      const running = loading.get(key) ?? loadShared(key, ttlMs, loader).finally(() => loading.delete(key))
      loading.set(key, running)
      return running as Promise<T>
    },
    async close() {},
  }
}

const nullWhileAway = (error: unknown): null => {
  if (error instanceof AssayError && error.code === 'unavailable') return null
  throw error
}
