import { expect, test } from 'bun:test'
import type { Actor } from '@assay/core/kernel/context'
import { createUsageCount } from './count-usage.ts'
import { createUsageFlush } from './flush-usage.ts'

const actorOf = (userId: string, keyId?: string): Actor => ({
  userId,
  role: 'trader',
  tenant: 'a',
  plan: 'standard',
  scopes: [],
  ...(keyId && { keyId }),
})
const midnight = Date.UTC(2026, 0, 6)

function setUp(mostClients?: number) {
  const time = { now: midnight - 5 }
  const dropped = { requests: 0 }
  const usage = createUsageCount({
    clock: { now: () => time.now },
    onDropped: (requests) => {
      dropped.requests += requests
    },
    ...(mostClients && { mostClients }),
  })
  return { usage, time, dropped }
}

test('requests, errors, refused ones and times are counted by user, key and route class', () => {
  const { usage } = setUp()
  const bot = actorOf('u1', 'k1')
  for (const [status, ms] of [
    [200, 1],
    [404, 30],
    [429, 0.1],
    [503, 9_000],
  ] as const)
    usage.count(bot, 'orders', status, ms)
  usage.count(actorOf('u1'), 'default', 200, 5)
  usage.count(null, 'none', 200, 1)
  const taken = usage.take()
  expect(taken.map(({ userId, keyId, routeClass, requests }) => [userId, keyId, routeClass, requests])).toEqual([
    ['u1', 'k1', 'orders', 4],
    ['u1', '', 'default', 1],
    ['', '', 'none', 1],
  ])
  expect(taken[0]).toMatchObject({ errors: 2, limited: 1, msTotal: 9_031.1, msMax: 9_000, buckets: [2, 0, 1, 0, 0, 1] })
  expect(usage.take()).toEqual([])
})

test('a request counts for the day it ended on', () => {
  const { usage, time } = setUp()
  usage.count(actorOf('u1'), 'default', 200, 1)
  time.now = midnight
  usage.count(actorOf('u1'), 'default', 200, 1)
  expect(usage.take().map(({ day, requests }) => [day, requests])).toEqual([
    ['2026-01-05', 1],
    ['2026-01-06', 1],
  ])
})

test('clients between two writes are bounded: what is beyond is told as not counted', () => {
  const { usage, dropped } = setUp(100)
  for (let n = 0; n < 1_000; n++) usage.count(actorOf(`u${n}`), 'default', 200, 1)
  expect([usage.size, dropped.requests]).toEqual([100, 900])
  usage.count(actorOf('u5'), 'orders', 200, 1)
  expect(dropped.requests).toBe(900)
})

test('without a database nothing counted is lost up to the bound, and one write brings it together', async () => {
  const { usage, dropped } = setUp(100)
  const written: unknown[][] = []
  const state = { away: true }
  const flush = createUsageFlush(usage, {
    query: async (_sql, params) => {
      if (state.away) throw new Error('away')
      written.push([...(params as unknown[])])
      return []
    },
  })
  for (let round = 0; round < 3; round++) {
    usage.count(actorOf('u1'), 'default', 200, 1)
    expect(
      await flush().then(
        () => 'written',
        () => 'away',
      ),
    ).toBe('away')
  }
  state.away = false
  await Promise.all([flush(), flush()])
  expect(written.map(([days, , users, , , requests]) => [days, users, requests])).toEqual([
    [['2026-01-05'], ['u1'], [3]],
  ])
  expect(dropped.requests).toBe(0)
  await flush()
  expect(written).toHaveLength(1)
})
