import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRedisCache } from '@assay/core/ports/cache/redis'
import { openRedis, type RedisServer } from '@assay/core/ports/cache/redis-server'
import { systemClock } from '@assay/core/ports/clock/system'
import { createRedisLimits } from '@assay/core/ports/limits/redis'
import { describeReal } from '@assay/core/testing/adapters'
import { until } from '@assay/core/testing/until'
import { Redis } from 'ioredis'
import type { Server } from '../../scripts/stack/server.ts'
import { startRedis } from '../../scripts/stack/servers/redis.ts'

const SLOTS = 16_384
const log = { info: () => {}, warn: () => {} }

describeReal('a Redis cluster', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-redis-cluster-'))
  const servers: Server[] = []
  let redis: RedisServer
  beforeAll(async () => {
    for (const name of ['one', 'two'])
      servers.push(await startRedis({ folder: join(folder, name), settings: { 'cluster-enabled': 'yes' } }))
    const nodes = servers.map(({ ports }) => new Redis({ port: ports.redis!, host: '127.0.0.1' }))
    const [one, two] = nodes as [Redis, Redis]
    await one.call('cluster', 'addslotsrange', 0, SLOTS / 2 - 1)
    await two.call('cluster', 'addslotsrange', SLOTS / 2, SLOTS - 1)
    await one.call('cluster', 'meet', '127.0.0.1', servers[1]!.ports.redis!)
    for (const node of nodes)
      await until(
        'all slots are served',
        async () => String(await node.call('cluster', 'info')).includes('cluster_state:ok'),
        30_000,
      )
    for (const node of nodes) node.disconnect()
    redis = await openRedis({ url: servers[0]!.env.REDIS_URL!, clock: systemClock, log })
  }, 130_000)
  afterAll(async () => {
    await redis?.close()
    await Promise.all(servers.map((server) => server.stop()))
    rmSync(folder, { recursive: true })
  })

  test('it is found, and every script and key of a client stays in one slot, on whichever node', async () => {
    expect(redis.cluster).toBe(true)
    const cache = createRedisCache({ redis, clock: systemClock })
    const limits = createRedisLimits({ redis })
    const asked = ['default', 'anonymous-hour', 'anonymous-day'].map((name) => ({ name, points: 2, windowMs: 60_000 }))
    for (let n = 0; n < 30; n++) {
      const client = `client ${n}`
      const taken = [
        await limits.take(client, asked),
        await limits.take(client, asked),
        await limits.take(client, asked),
      ]
      expect(taken.map((decisions) => decisions.map(({ allowed }) => allowed))).toEqual([
        [true, true, true],
        [true, true, true],
        [false, false, false],
      ])
      await limits.refund(client, asked[0]!)
      expect((await limits.take(client, [asked[0]!]))[0]!.allowed).toBe(true)
      await limits.forget(client, asked[0]!)
      expect(await cache.load(client, 60_000, async () => n)).toBe(n)
      expect([await cache.add(client, 0, 1_000), await cache.take<number>(client), await cache.take(client)]).toEqual([
        false,
        n,
        null,
      ])
    }
    await until('it counts itself', () => limits.replicas() === 1)
    await limits.close()
  })
})
