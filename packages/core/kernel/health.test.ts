import { expect, test } from 'bun:test'
import { createHealth } from './health.ts'

function world() {
  let now = 0
  const clock = { now: () => now, monotonic: () => now, sleep: async () => {} }
  function pass(ms: number): void {
    now += ms
  }
  return { health: createHealth(clock), pass }
}

test('ready only between the start and draining, and only while every probe passes', async () => {
  const { health, pass } = world()
  let reason: string | undefined
  health.addProbe({ name: 'db', timeoutMs: 50, check: async () => reason })
  expect((await health.readiness()).ready).toBe(false)
  health.markStarted()
  expect(await health.readiness()).toEqual({ ready: true, draining: false, probes: { db: 'ok' } })
  reason = 'read only'
  pass(2_000)
  expect(await health.readiness()).toEqual({ ready: false, draining: false, probes: { db: 'read only' } })
  reason = undefined
  pass(2_000)
  health.markDraining()
  expect(await health.readiness()).toMatchObject({ ready: false, draining: true })
})
test('a probe that hangs fails after its time-out and is not asked again meanwhile', async () => {
  const { health, pass } = world()
  let asked = 0
  health.addProbe({
    name: 'engine',
    timeoutMs: 5,
    check: () => {
      asked++
      return new Promise(() => {})
    },
  })
  expect((await health.report()).degraded).toEqual(['engine: no answer within 5 ms'])
  pass(6_000)
  expect(await health.report()).toMatchObject({ status: 'down', degraded: ['engine: still no answer'] })
  expect(asked).toBe(1)
})
test('a report does not wait for a slow probe whose last result is a few seconds old', async () => {
  const { health, pass } = world()
  const slow = Promise.withResolvers<undefined>()
  let asked = 0
  health.addProbe({ name: 'db', timeoutMs: 1_000, check: async () => (++asked === 1 ? undefined : slow.promise) })
  expect((await health.report()).status).toBe('ok')
  pass(2_000)
  expect((await health.report()).status).toBe('ok')
  expect(asked).toBe(2)
  slow.resolve(undefined)
})
test('a probe that failed is asked again soon, one that passed only after a second', async () => {
  const { health, pass } = world()
  let reason: string | undefined = 'starting'
  let asked = 0
  health.addProbe({
    name: 'engine',
    timeoutMs: 50,
    async check() {
      asked++
      return reason
    },
  })
  health.markStarted()
  expect((await health.readiness()).ready).toBe(false)
  reason = undefined
  pass(20)
  expect((await health.readiness()).ready).toBe(true)
  pass(900)
  expect((await health.readiness()).ready).toBe(true)
  expect(asked).toBe(2)
})
test('many who ask at once load a probe once', async () => {
  const { health } = world()
  let asked = 0
  health.addProbe({ name: 'db', timeoutMs: 50, check: async () => void asked++ })
  await Promise.all(Array.from({ length: 20 }, () => health.report()))
  expect(asked).toBe(1)
})
test('what services tell makes the report degraded, not down', async () => {
  const { health } = world()
  health.addSource(() => ({ degraded: ['market log: 3 segments dropped'], stores: { db: { kind: 'pglite' } } }))
  expect(await health.report()).toMatchObject({
    status: 'degraded',
    stores: { db: { kind: 'pglite' } },
    degraded: ['market log: 3 segments dropped'],
  })
})
