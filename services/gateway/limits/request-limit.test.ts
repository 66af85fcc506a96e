import { expect, test } from 'bun:test'
import { AssayError } from '@assay/core/contracts/errors'
import type { Actor } from '@assay/core/kernel/context'
import type { RouteClass } from '@assay/core/kernel/limit'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import { createRequestLimit } from './request-limit.ts'

const user: Actor = { userId: 'u1', role: 'trader', tenant: 'default', plan: 'standard', scopes: [], sessionId: 's1' }
const bot: Actor = { userId: 'u1', role: 'trader', tenant: 'default', plan: 'standard', scopes: [], keyId: 'k1' }

function setUp() {
  const time = { now: Date.UTC(2026, 0, 5) }
  const hits: string[] = []
  const limits = createMemoryLimits({ monotonic: () => time.now })
  const limit = createRequestLimit({
    limits,
    strict: limits,
    perMinute: 60,
    anonymousPerHour: 50,
    anonymousPerDay: 200,
    onHit: (name) => hits.push(name),
  })
  function ask(actor: Actor | null, routeClass: RouteClass = 'default', read = true, address = '1.1.1.1') {
    const headers: Record<string, string | number> = {}
    try {
      limit({ requestId: 'r', actor, address }, { routeClass, read }, headers)
      return { allowed: true, headers }
    } catch (error) {
      if (!(error instanceof AssayError) || error.code !== 'rate_limited') throw error
      return { allowed: false, headers }
    }
  }
  const allowedOf = (times: number, ...asked: Parameters<typeof ask>) =>
    Array.from({ length: times }, () => ask(...asked)).filter((answer) => answer.allowed).length
  return { ask, allowedOf, time, hits }
}

test('a user has 60 requests a minute in each class, and the answer says how many are left (V2.4.1)', () => {
  const { ask, allowedOf, time, hits } = setUp()
  expect(ask(user).headers).toEqual({ 'ratelimit-policy': '"default";q=60;w=60', ratelimit: '"default";r=59;t=1' })
  expect(allowedOf(100, user)).toBe(59)
  expect(ask(user).headers).toEqual({
    'ratelimit-policy': '"default";q=60;w=60',
    ratelimit: '"default";r=0;t=60',
    'retry-after': 1,
  })
  expect(allowedOf(100, user, 'orders', false)).toBe(60)
  time.now += 1_000
  expect(allowedOf(2, user)).toBe(1)
  expect(new Set(hits)).toEqual(new Set(['default', 'orders']))
})

test('a key has 100 orders a second, or its own limits, and does not use up those of its owner', () => {
  const { allowedOf, time } = setUp()
  expect(allowedOf(200, bot, 'orders', false)).toBe(100)
  time.now += 500
  expect(allowedOf(200, bot, 'orders', false)).toBe(50)
  const fast: Actor = { ...bot, keyId: 'k2', limits: { ordersPerSecond: 1_000, requestsPerMinute: 10 } }
  expect(allowedOf(2_000, fast, 'orders', false)).toBe(1_000)
  expect(allowedOf(20, fast)).toBe(10)
  expect(allowedOf(100, user)).toBe(60)
})

test('reads without a credential are 50 an hour and 200 a day by address', () => {
  const { ask, allowedOf, time, hits } = setUp()
  expect(allowedOf(60, null)).toBe(50)
  expect(hits).toContain('anonymous-hour')
  expect(ask(null, 'default', true, '2.2.2.2').allowed).toBe(true)
  let inDay = 50
  for (let hour = 1; hour < 12; hour++) {
    time.now += 3_600_000
    inDay += allowedOf(60, null)
  }
  expect(inDay).toBeLessThan(310)
  expect(hits).toContain('anonymous-day')
})

test('Retry-After is that of the limit which lasts longest: who heeds it is let in', () => {
  const { ask, time, hits } = setUp()
  for (let n = 0; n < 200; n++) {
    ask(null)
    time.now += 50
  }
  hits.length = 0
  const { headers } = ask(null)
  expect(headers.ratelimit).toMatch(/"default";r=0;.*"anonymous-hour";r=0;/)
  expect(hits).toEqual(['anonymous-day'])
  time.now += Number(headers['retry-after']) * 1_000
  expect(ask(null).allowed).toBe(true)
})

test('a write without a credential counts per minute only, and health is never counted', () => {
  const { allowedOf } = setUp()
  expect(allowedOf(60, null, 'default', false)).toBe(60)
  expect(allowedOf(1_000, null, 'none')).toBe(1_000)
})
