import { expect, test } from 'bun:test'
import { Registry } from 'prom-client'
import { createMemoryCache } from '../ports/cache/memory.ts'
import { ManualClock } from '../testing/clock.ts'
import { cachedBy, countCache } from './cached.ts'

test('a value is loaded once until its time is over, and hits and misses are counted by name', async () => {
  const clock = new ManualClock()
  const registry = new Registry()
  const tiers = cachedBy(createMemoryCache(clock), registry, { name: 'tiers', ttlMs: 1_000 })
  let loads = 0
  const ask = () => tiers('a', async () => ++loads)
  expect([await ask(), await ask()]).toEqual([1, 1])
  await clock.advance(1_001)
  expect(await ask()).toBe(2)
  countCache(registry, 'keys')('hit')
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('cache_requests_total'))
  expect(lines.sort()).toEqual([
    'cache_requests_total{name="keys",outcome="hit"} 1',
    'cache_requests_total{name="tiers",outcome="hit"} 1',
    'cache_requests_total{name="tiers",outcome="miss"} 2',
  ])
})
