import { expect, test } from 'bun:test'
import { describeAdapters, describeReal } from '../../testing/adapters.ts'
import { ManualClock } from '../../testing/clock.ts'
import { testRedis } from '../../testing/redis.ts'
import { until } from '../../testing/until.ts'
import { systemClock } from '../clock/system.ts'
import { cacheContract } from './contract.ts'
import { createMemoryCache } from './memory.ts'
import type { Cache } from './port.ts'
import { createRedisCache } from './redis.ts'

const memory = async () => {
  const clock = new ManualClock()
  return { cache: createMemoryCache(clock), pass: (ms: number) => clock.advance(ms) }
}
const real = async () => {
  const redis = await testRedis()
  const cache = createRedisCache({ redis, clock: systemClock })
  const close = async () => redis.close()
  return { cache: { ...cache, close }, pass: systemClock.sleep }
}
describeAdapters('cache', { embedded: memory, real }, cacheContract)

test('a full memory cache gives up what was not used for longest', async () => {
  const cache = createMemoryCache(new ManualClock(), 2)
  await cache.set('a', 1, 1_000)
  await cache.set('b', 2, 1_000)
  await cache.get('a')
  await cache.set('c', 3, 1_000)
  expect([await cache.get<number>('a'), await cache.get<number>('b'), await cache.get<number>('c')]).toEqual([
    1,
    null,
    3,
  ])
})

describeReal('two processes on one Redis', () => {
  test('a key that both load at once is loaded once; one whose loader died is loaded after its lock', async () => {
    const prefix = `test:${crypto.randomUUID()}:`
    const servers = [await testRedis({ prefix }), await testRedis({ prefix })]
    const [one, two] = servers.map((redis) => createRedisCache({ redis, clock: systemClock, lockMs: 300 })) as [
      Cache,
      Cache,
    ]
    let loads = 0
    const loader = async () => {
      await systemClock.sleep(50)
      return ++loads
    }
    expect(await Promise.all([one, two, one, two].map((cache) => cache.load('k', 5_000, loader)))).toEqual([1, 1, 1, 1])
    const dying = one.load('dead', 5_000, () => new Promise<number>(() => {}))
    await until(
      'it holds the lock',
      async () =>
        !(await servers[1]!.call((client) => client.set(servers[1]!.key('cache', 'dead', 'lock'), '', 'PX', 1, 'NX'))),
    )
    expect(await two.load('dead', 5_000, async () => 7)).toBe(7)
    void dying
    for (const server of servers) await server.close()
  })
})
