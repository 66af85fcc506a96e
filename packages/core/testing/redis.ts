import { AssayError } from '../contracts/errors.ts'
import { environment } from '../kernel/config.ts'
import { openRedis, type RedisServer, type RedisServerOptions } from '../ports/cache/redis-server.ts'
import { systemClock } from '../ports/clock/system.ts'

const log = { info: () => {}, warn: () => {} }

/** The server that suites use: each takes a key prefix of its own. */
export function testRedisUrl(): string {
  const url = environment().ASSAY_TEST_REDIS_URL
  if (!url) throw new Error('ASSAY_TEST_REDIS_URL is not set: ./assay test starts a Redis and sets it.')
  return url
}

export const testRedis = (options: Partial<RedisServerOptions> = {}): Promise<RedisServer> =>
  openRedis({ url: testRedisUrl(), prefix: `test:${crypto.randomUUID()}:`, clock: systemClock, log, ...options })

/** A server that nobody reaches while the wire is cut, as openRedis says it. */
export function breakable(redis: RedisServer, wire: { cut: boolean }): RedisServer {
  const reached = <T>(ask: () => Promise<T>): Promise<T> =>
    wire.cut ? Promise.reject(new AssayError('unavailable', 'A store this needs is not available now.')) : ask()
  return {
    ...redis,
    call: (command) => reached(() => redis.call(command)),
    script: (lua) => {
      const run = redis.script(lua)
      return (keys, args) => reached(() => run(keys, args))
    },
    away: () => (wire.cut ? 'cut' : redis.away()),
  }
}
