import { openRedis } from '@assay/core/ports/cache/redis-server'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Limit } from '@assay/core/ports/limits/port'
import { createRedisLimits } from '@assay/core/ports/limits/redis'
import { Redis } from 'ioredis'
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

/** Decides whether one request of the client is allowed. */
export interface Limiter {
  name: string
  allowed(client: string): Promise<boolean>
  close(): Promise<void>
}
const QUIET = { info() {}, warn() {} }

/** The platform's own: GCRA in one script, the port as the gateway calls it. */
export async function ours(url: string, limit: Limit): Promise<Limiter> {
  const redis = await openRedis({ url, prefix: `bench:${crypto.randomUUID()}:`, clock: systemClock, log: QUIET })
  const limits = createRedisLimits({ redis })
  const asked = [limit]
  return {
    name: 'assay',
    allowed: async (client) => (await limits.take(client, asked))[0]!.allowed,
    async close() {
      await limits.close()
      await redis.close()
    },
  }
}

/** Its own Lua script over the same client, pipelining by itself as ours does; a fixed window, its only kind on Redis. */
export async function rateLimiterFlexible(url: string, { points, windowMs }: Limit): Promise<Limiter> {
  const client = new Redis(url, { enableAutoPipelining: true, enableOfflineQueue: false, lazyConnect: true })
  client.on('error', () => {})
  await client.connect()
  const limiter = new RateLimiterRedis({
    storeClient: client,
    keyPrefix: `bench:${crypto.randomUUID()}`,
    points,
    duration: windowMs / 1_000,
  })
  return {
    name: 'rate-limiter-flexible 11.4.0 RateLimiterRedis (ioredis 6.0.0, auto-pipelining, fixed window; no TLS on either side)',
    allowed: async (of) => {
      try {
        await limiter.consume(of)
        return true
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return false
        throw refusal
      }
    },
    async close() {
      client.disconnect()
    },
  }
}
