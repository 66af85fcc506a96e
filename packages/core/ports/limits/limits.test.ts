import { afterAll } from 'bun:test'
import { describeAdapters } from '../../testing/adapters.ts'
import { testRedis } from '../../testing/redis.ts'
import type { RedisServer } from '../cache/redis-server.ts'
import { type LimitsUnderTest, limitsContract } from './contract.ts'
import { createMemoryLimits } from './memory.ts'
import { createRedisLimits } from './redis.ts'

let redis: RedisServer | undefined
afterAll(() => redis?.close())

async function memory(): Promise<LimitsUnderTest> {
  const time = { now: 1_000_000 }
  return { limits: createMemoryLimits({ monotonic: () => time.now }), time }
}
async function real(): Promise<LimitsUnderTest> {
  const time = { now: 1_000_000 }
  redis = await testRedis()
  return { limits: createRedisLimits({ redis, now: () => time.now }), time }
}
describeAdapters('limits', { embedded: memory, real }, limitsContract)
