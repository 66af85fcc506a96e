import { expect, test } from 'bun:test'
import { AssayError } from '@assay/core/contracts/errors'
import { PLANS } from '@assay/core/contracts/plans'
import type { Actor, Ctx } from '@assay/core/kernel/context'
import { classOf } from '@assay/core/kernel/limit-class'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import type { Limits } from '@assay/core/ports/limits/port'
import { createGate } from './gate.ts'
import { createInFlight } from './in-flight.ts'
import { createRequestLimit } from './request-limit.ts'
import { createTenantStates } from './tenant-state.ts'

const actorOf = (plan: string, more: Partial<Actor> = {}): Actor => ({
  userId: 'u1',
  role: 'trader',
  tenant: 'firm',
  plan,
  scopes: [],
  ...more,
})
type Lists = { plan?: string; allow_addresses: string[]; deny_addresses: string[] }

interface SetUp {
  lists?: Lists
  strict?: Pick<Limits, 'take'>
  /** the counts are a server's: every decision comes later */
  later?: boolean
}
function setUp({ lists, strict, later = false }: SetUp = {}) {
  const time = { now: 0 }
  const state = { lists, asked: 0, away: false }
  const hits: string[] = []
  const onHit = (name: string) => void hits.push(name)
  const memory = createMemoryLimits({ monotonic: () => time.now })
  const limits: Limits = later ? { ...memory, take: async (client, asked) => memory.take(client, asked) } : memory
  const inFlight = createInFlight(onHit)
  const gate = createGate({
    limit: createRequestLimit({
      limits,
      strict: strict ?? limits,
      perMinute: 60,
      anonymousPerHour: 50,
      anonymousPerDay: 200,
      onHit,
    }),
    inFlight,
    tenants: createTenantStates({
      clock: { monotonic: () => time.now },
      database: {
        query: async <T>() => {
          state.asked++
          if (state.away) throw new Error('no database')
          return (state.lists ? [state.lists] : []) as T[]
        },
      },
    }),
    usage: { count() {} },
    onLeft() {},
  })
  async function enter(actor: Actor | null, method = 'GET', path = '/api/tiers', address = '203.0.113.9') {
    const headers: Record<string, string | number> = {}
    const ctx: Ctx = { requestId: 'r', actor, address }
    const request = classOf(method, path)
    const code = await Promise.resolve()
      .then(() => gate.enter(ctx, request, headers))
      .then(
        () => 'entered',
        (error) => (error instanceof AssayError ? error.code : String(error)),
      )
    const leave = () => gate.left(ctx, request, { status: 200, ms: 1, code: undefined, entered: code === 'entered' })
    return { code, headers, leave }
  }
  async function codesOf(times: number, ...asked: Parameters<typeof enter>) {
    const counts: Record<string, number> = {}
    for (let n = 0; n < times; n++) {
      const { code, leave } = await enter(...asked)
      counts[code] = (counts[code] ?? 0) + 1
      leave()
    }
    return counts
  }
  return { enter, codesOf, state, time, hits, inFlight, gate }
}

test('a plan lets what it has, and refuses what it lacks by name, for a session and for a key', async () => {
  const { enter } = setUp()
  const free = actorOf('free')
  expect((await enter(free)).code).toBe('entered')
  expect((await enter(free, 'GET', '/ws')).code).toBe('entered')
  expect((await enter(free, 'POST', '/api/api-keys')).code).toBe('plan_required')
  expect((await enter(free, 'GET', '/api/assessments/a/proof')).code).toBe('plan_required')
  expect((await enter(actorOf('free', { keyId: 'k1' }))).code).toBe('plan_required')
  expect((await enter(actorOf('gone in this release'), 'POST', '/api/api-keys')).code).toBe('plan_required')
  for (const plan of ['standard', 'pro', 'enterprise'])
    expect((await enter(actorOf(plan, { userId: plan }), 'POST', '/api/api-keys')).code).toBe('entered')
})

test.each(Object.entries(PLANS))(
  'the plan %s raises requests per minute and a key its orders per second',
  async (name, plan) => {
    const { codesOf, time } = setUp()
    const perMinute = 60 * ((plan.rate as Record<string, number>).default ?? 1)
    expect((await codesOf(perMinute + 5, actorOf(name))).entered).toBe(perMinute)
    if (!(plan.features as readonly string[]).includes('api_keys')) return
    time.now += 3_600_000
    const key = actorOf(name, { keyId: 'k1' })
    const orders = await codesOf(plan.keyOrdersPerSecond + 5, key, 'POST', '/api/assessments/a/orders')
    expect(orders.entered).toBe(plan.keyOrdersPerSecond)
  },
)

test('all clients of a tenant together have the quota of its plan per day, and another tenant has its own', async () => {
  const { enter, time } = setUp()
  const seen: Record<string, number> = {}
  // proofs are not in the plan: they pay for asking
  for (let n = 0; n < 110; n++) {
    time.now += 1_000
    const { code } = await enter(actorOf('free', { userId: `u${n}` }), 'GET', '/api/assessments/a/proof')
    seen[code] = (seen[code] ?? 0) + 1
  }
  expect(seen).toEqual({ plan_required: 100, rate_limited: 10 })
  const { headers, code } = await enter(actorOf('free', { userId: 'v', tenant: 'other' }), 'GET', '/api/privacy/export')
  expect(code).toBe('entered')
  expect(headers).toEqual({
    'ratelimit-policy': '"exports";q=60;w=60, "plan-exports";q=100;w=86400',
    ratelimit: '"exports";r=59;t=1, "plan-exports";r=99;t=864',
  })
})

test('a client has so many requests under way, an address without a credential 64, and each that ends makes room', async () => {
  const { enter, hits, inFlight } = setUp()
  const held = []
  for (let n = 0; n < 40; n++) held.push(await enter(actorOf('free')))
  expect(held.filter(({ code }) => code === 'entered')).toHaveLength(32)
  expect(new Set(hits)).toEqual(new Set(['concurrent']))
  expect((await enter(actorOf('free', { userId: 'u2' }))).code).toBe('entered')
  held[0]!.leave()
  expect((await enter(actorOf('free'))).code).toBe('entered')
  // those that were refused end too, and give nothing back
  for (const { leave } of held.slice(1)) leave()
  expect(inFlight.clients).toBe(2)
})

test('nothing is kept of clients that have no request under way', async () => {
  const { codesOf, inFlight, enter } = setUp()
  await codesOf(200, actorOf('standard'))
  await codesOf(10, null)
  expect(inFlight.clients).toBe(0)
  const probe = await enter(null, 'GET', '/health')
  probe.leave()
  expect(inFlight.clients).toBe(0)
})

test('the lists of a tenant keep addresses out of it and of no other; a change is heeded within 2 s', async () => {
  const { enter, state, time } = setUp({ lists: { allow_addresses: ['203.0.113.0/24'], deny_addresses: [] } })
  const user = actorOf('standard')
  expect((await enter(user)).code).toBe('entered')
  expect((await enter(user, 'GET', '/api/tiers', '198.51.100.1')).code).toBe('forbidden')
  expect((await enter(null, 'GET', '/api/tiers', '198.51.100.1')).code).toBe('entered')
  expect(state.asked).toBe(1)
  state.lists = { allow_addresses: [], deny_addresses: ['203.0.113.9'] }
  expect((await enter(user)).code).toBe('entered')
  // nobody asked meanwhile: the first request after that waits for the answer
  time.now += 2_001
  expect((await enter(user)).code).toBe('forbidden')
  expect((await enter(user, 'GET', '/api/tiers', '198.51.100.1')).code).toBe('entered')
  // who asks all the time does not wait: the answer is fetched beside a request
  state.lists = { allow_addresses: [], deny_addresses: [] }
  time.now += 1_001
  expect((await enter(user)).code).toBe('forbidden')
  expect((await enter(user)).code).toBe('entered')
  expect(state.asked).toBe(3)
})

test('a changed plan holds within 2 s for credentials that name the old one, both ways', async () => {
  const { enter, codesOf, state, time } = setUp({ lists: { plan: 'pro', allow_addresses: [], deny_addresses: [] } })
  const [user, key] = [actorOf('free'), actorOf('free', { userId: 'u2', keyId: 'k1' })]
  expect((await enter(user, 'POST', '/api/api-keys')).code).toBe('entered')
  expect((await enter(key)).code).toBe('entered')
  state.lists = { plan: 'free', allow_addresses: [], deny_addresses: [] }
  time.now += 2_001
  const before = actorOf('pro', { userId: 'u3' })
  expect((await enter(before, 'POST', '/api/api-keys')).code).toBe('plan_required')
  expect((await enter(key)).code).toBe('plan_required')
  time.now += 3_600_000
  const allowed = await codesOf(1_000, before)
  expect(allowed.entered).toBe(60 * ((PLANS.free.rate as Record<string, number>).default ?? 1))
})

test('while a tenant cannot be read, what was known of it counts for 15 s; then nobody of it is let in', async () => {
  const { enter, state, time } = setUp({ lists: { allow_addresses: ['203.0.113.0/24'], deny_addresses: [] } })
  const user = actorOf('standard')
  expect((await enter(user)).code).toBe('entered')
  state.away = true
  time.now += 5_000
  expect((await enter(user)).code).toBe('entered')
  expect((await enter(user, 'GET', '/api/tiers', '198.51.100.1')).code).toBe('forbidden')
  // it was asked for once, not with each request
  expect(state.asked).toBe(2)
  time.now += 10_001
  expect((await enter(user)).code).toBe('Error: no database')
  expect((await enter(actorOf('standard', { tenant: 'never seen' }))).code).toBe('Error: no database')
  expect((await enter(null)).code).toBe('entered')
  state.away = false
  expect((await enter(user)).code).toBe('entered')
})

test('while the shared limits are away nobody pays, and the rest goes on', async () => {
  const away = { take: () => Promise.reject(new AssayError('unavailable', 'away')) }
  const { enter } = setUp({ strict: away })
  expect((await enter(actorOf('standard'), 'POST', '/api/purchases')).code).toBe('unavailable')
  expect((await enter(actorOf('standard'), 'POST', '/api/auth/logout')).code).toBe('entered')
  expect((await enter(actorOf('standard'), 'GET', '/api/purchases')).code).toBe('entered')
})

test('counts that a server keeps decide alike: limit, then quota, then plan, then how many are under way', async () => {
  const { codesOf, enter, hits, inFlight } = setUp({ later: true })
  const proofs = await codesOf(105, actorOf('free'), 'GET', '/api/assessments/a/proof')
  expect(proofs).toEqual({ plan_required: 60, rate_limited: 45 })
  const others = await codesOf(60, actorOf('free', { userId: 'u2' }), 'GET', '/api/assessments/a/proof')
  expect(others).toEqual({ plan_required: 40, rate_limited: 20 })
  expect(new Set(hits)).toEqual(new Set(['exports', 'plan-exports']))
  const held = []
  for (let n = 0; n < 33; n++) held.push(await enter(actorOf('free', { userId: 'u3' })))
  expect(held.map(({ code }) => code).filter((code) => code === 'rate_limited')).toHaveLength(1)
  expect(inFlight.clients).toBe(1)
})
