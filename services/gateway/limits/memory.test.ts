import { heapStats } from 'bun:jsc'
import { expect, test } from 'bun:test'
import type { Actor, Ctx } from '@assay/core/kernel/context'
import { classOf } from '@assay/core/kernel/limit-class'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import { createUsageCount } from '../usage/count-usage.ts'
import { createGate } from './gate.ts'
import { createInFlight } from './in-flight.ts'
import { createRequestLimit } from './request-limit.ts'

const MIB = 1024 * 1024
const settled = (): number => {
  Bun.gc(true)
  return heapStats().heapSize + heapStats().extraMemorySize
}

test('a thousand clients cost less than 1 MB, with all that the gate keeps of them, and idle ones are dropped', () => {
  const time = { now: Date.UTC(2026, 0, 5) }
  const clock = { now: () => time.now, monotonic: () => time.now }
  const limits = createMemoryLimits(clock)
  const usage = createUsageCount({ clock, onDropped() {} })
  const limit = createRequestLimit({
    limits,
    strict: limits,
    perMinute: 60,
    anonymousPerHour: 50,
    anonymousPerDay: 200,
    onHit() {},
  })
  const gate = createGate({
    limit,
    inFlight: createInFlight(() => {}),
    tenants: { of: () => ({ plan: null, isDenied: null }) },
    usage,
    onLeft() {},
  })
  const clients = 10_000
  const request = classOf('GET', '/api/tiers')
  const how = { status: 200, ms: 1, code: undefined, entered: true }
  const asking: Ctx[] = []
  for (let n = 0; n < clients; n++) {
    const address = `203.${n >> 16}.${(n >> 8) & 255}.${n & 255}`
    const actor: Actor = {
      userId: crypto.randomUUID(),
      role: 'trader',
      tenant: 'default',
      plan: 'standard',
      scopes: [],
    }
    asking.push({ requestId: 'r', actor: null, address }, { requestId: 'r', actor, address })
  }
  const before = settled()
  for (const ctx of asking) void gate.enter(ctx, request, {})
  const grown = settled() - before
  // two kinds of clients, each with a request under way
  expect(grown / (2 * clients)).toBeLessThan(MIB / 1_000)
  for (const ctx of asking) gate.left(ctx, request, how)
  expect((settled() - before) / (2 * clients)).toBeLessThan(MIB / 1_000)
  expect(usage.size).toBe(clients + 1)
  usage.take()
  const kept = settled() - before
  // long after, a few clients' requests sweep what the others left
  time.now += 2 * 86_400_000
  const busy: Ctx = { requestId: 'r', actor: null, address: '198.51.100.1' }
  for (let n = 0; n < 4 * clients; n++) {
    time.now += 3_600_000
    void gate.enter(busy, request, {})
    gate.left(busy, request, how)
  }
  expect(settled() - before).toBeLessThan(kept / 2)
  // all of it is still in use
  for (const ctx of [asking[0]!, busy]) void gate.enter(ctx, request, {})
  expect(asking).toHaveLength(2 * clients)
})
