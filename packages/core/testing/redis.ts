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
