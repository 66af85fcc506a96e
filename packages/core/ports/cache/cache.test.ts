import { expect, test } from 'bun:test'
import { describeAdapters } from '../../testing/adapters.ts'
import { ManualClock } from '../../testing/clock.ts'
import { testRedis } from '../../testing/redis.ts'
import { systemClock } from '../clock/system.ts'
import { cacheContract } from './contract.ts'
import { createMemoryCache } from './memory.ts'
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
