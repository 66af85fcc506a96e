import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cache } from '@assay/core/ports/cache/port'
import { createRedisCache } from '@assay/core/ports/cache/redis'
import { openRedis, type RedisServer } from '@assay/core/ports/cache/redis-server'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Limits } from '@assay/core/ports/limits/port'
import { createRedisLimits } from '@assay/core/ports/limits/redis'
import { describeReal } from '@assay/core/testing/adapters'
import { until } from '@assay/core/testing/until'
import { type FaultProxy, startFaultProxy } from '../../scripts/stack/fault-proxy.ts'
import type { Server } from '../../scripts/stack/server.ts'
import { startRedis } from '../../scripts/stack/servers/redis.ts'

const minute = { name: 'default', points: 60, windowMs: 60_000 }
const log = { info: () => {}, warn: () => {} }

describeReal('Redis away', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-redis-'))
  let server: Server
  let proxy: FaultProxy
  let redis: RedisServer
  let cache: Cache
  let limits: Limits
  beforeAll(async () => {
    server = await startRedis({ folder, password: 'p@ss:word' })
    proxy = await startFaultProxy({ target: server.ports.redis! })
    const url = `redis://:p%40ss%3Aword@${proxy.address}`
    redis = await openRedis({ url, clock: systemClock, log, timeoutMs: 300 })
    cache = createRedisCache({ redis, clock: systemClock })
    limits = createRedisLimits({ redis })
  }, 130_000)
  afterAll(async () => {
    await limits.close()
    await redis.close()
    await proxy.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  const faults: Record<string, { begin: () => unknown; end: () => unknown }> = {
    'killed and started again': { begin: () => server.signal('SIGKILL'), end: () => server.restart() },
    'stopped and continued': { begin: () => server.signal('SIGSTOP'), end: () => server.signal('SIGCONT') },
    'cut off': { begin: () => proxy.cut(), end: () => proxy.heal() },
    'reset at every connection': { begin: () => proxy.reset(), end: () => proxy.heal() },
    'losing its answers': { begin: () => proxy.swallow('down'), end: () => proxy.heal() },
    'losing what is asked': { begin: () => proxy.swallow('up'), end: () => proxy.heal() },
  }
  test.each(Object.keys(faults))(
    'a server %s: nothing waits for long, loads go on, it is back by itself',
    async (name) => {
      const { begin, end } = faults[name]!
      await cache.set('kept', 'before', 60_000)
      await begin()
      const outcomes = await Promise.all([
        timed(cache.take('kept')),
        timed(cache.add('fresh', 1, 1_000)),
        timed((async () => limits.take('c', [minute]))()),
        timed(cache.load('loaded', 1_000, async () => 'by the loader')),
      ])
      expect(outcomes.map(({ outcome }) => outcome)).toEqual([
        'unavailable',
        'unavailable',
        'unavailable',
        'by the loader',
      ])
      for (const { ms } of outcomes) expect(ms).toBeLessThan(2_000)
      // its socket's end is known a moment after the first call that fails by it
      await until('it says so', () => redis.away() !== null, 100)
      const later = await Promise.all(Array.from({ length: 50 }, () => timed(cache.get('kept'))))
      for (const { outcome, ms } of later) expect([outcome, ms < 500]).toEqual(['unavailable', true])
      await end()
      await until(
        'it is back',
        async () => (await timed(cache.set('back', name, 60_000))).outcome === undefined,
        15_000,
      )
      expect(await cache.get<string>('back')).toBe(name)
      expect((await limits.take(name, [minute]))[0]!.allowed).toBe(true)
      await until('it says that too', () => redis.away() === null)
    },
    60_000,
  )

  test('a wrong password stops the start and is not in the error', async () => {
    const url = `redis://:wrong@127.0.0.1:${server.ports.redis}`
    const failure = await openRedis({ url, clock: systemClock, log }).catch((error: Error) => error.message)
    expect(failure).toContain('REDIS_URL: no connection to the Redis server: WRONGPASS')
    expect(failure).not.toContain('wrong')
  })
})

async function timed(work: Promise<unknown>): Promise<{ outcome: unknown; ms: number }> {
  const began = performance.now()
  const outcome = await work.catch((error) => error.code ?? error.message)
  return { outcome, ms: performance.now() - began }
}
