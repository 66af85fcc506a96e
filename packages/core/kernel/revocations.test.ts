import { afterAll, beforeAll, expect, test } from 'bun:test'
import { identityRevoked } from '../contracts/topics/identity.ts'
import { createEmbeddedBus } from '../ports/bus/embedded.ts'
import { systemClock } from '../ports/clock/system.ts'
import { type TestDatabase, testDatabase } from '../testing/database.ts'
import { until } from '../testing/until.ts'
import { createLifecycle } from './lifecycle.ts'
import { enqueue } from './outbox.ts'
import { startRelay } from './relay.ts'
import { beatHeart, createHearing, forgetRevoked, HEARD_MS } from './revocations.ts'

let database: TestDatabase
const log = { info() {}, warn() {}, error() {}, debug() {} }
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

test('what is known is current for 1.8 s after the last word, by either clock', () => {
  const time = { now: 1_000_000, monotonic: 0 }
  const hearing = createHearing({ now: () => time.now, monotonic: () => time.monotonic })
  expect(hearing.isCurrent()).toBe(false)
  hearing.heard(time.now - 250)
  expect(hearing.isCurrent()).toBe(true)
  // the word was of a while ago when it came
  time.now += HEARD_MS - 250
  expect(hearing.isCurrent()).toBe(true)
  time.now += 1
  expect(hearing.isCurrent()).toBe(false)
  // a wall clock that stands still
  hearing.heard(time.now)
  time.monotonic += HEARD_MS + 1
  expect(hearing.isCurrent()).toBe(false)
})

test('old words that come late, as after a pause of the bus, do not make it current', () => {
  const time = { now: 1_000_000, monotonic: 0 }
  const hearing = createHearing({ now: () => time.now, monotonic: () => time.monotonic })
  for (let at = time.now - 60_000; at < time.now - HEARD_MS; at += 500) hearing.heard(at)
  expect(hearing.isCurrent()).toBe(false)
})

test('revocations reach the verifier of another process; the heart stops while one waits in the outbox and beats again when it is out', async () => {
  const { db } = database
  const lifecycle = createLifecycle({ log })
  const bus = createEmbeddedBus({ db, clock: systemClock, log })
  const hearing = createHearing(systemClock)
  const revoked: string[] = []
  const tokens = {
    verify: () => Promise.reject(new Error('nobody')),
    revokeSession: (id: string) => void revoked.push(`session ${id}`),
    revokeKey: (id: string) => void revoked.push(`key ${id}`),
    revokeUser: (id: string) => void revoked.push(`user ${id}`),
  }
  await forgetRevoked(tokens, hearing, { bus, peers: { instance: 'trading-1' }, lifecycle })
  beatHeart({ bus, db, clock: systemClock, log, lifecycle })
  await until('it is current', () => hearing.isCurrent())

  const events = [
    { what: 'session' as const, id: 's1', user_id: 'u1' },
    { what: 'key' as const, id: 'k1', user_id: 'u1' },
    { what: 'user' as const, id: null, user_id: 'u1' },
  ]
  await db.as('gateway').tx(async (sql) => {
    for (const [at, data] of events.entries())
      await enqueue(sql, identityRevoked, { aggregate: 'revoked:u1', seq: at + 1, key: 'u1', data })
  })
  // nothing publishes the outbox
  await until('it is not current any more', () => !hearing.isCurrent())
  expect(revoked).toEqual([])
  const relay = startRelay({ db, bus, clock: systemClock, log, sole: true })
  lifecycle.defer('relay', () => relay.close())
  await until('it is current again', () => hearing.isCurrent())
  expect(revoked).toEqual(['session s1', 'key k1', 'user u1'])
  await lifecycle.close()
  await bus.close()
})

test('while a broker is away one word waits for it and no second one, and closing does not wait with it', async () => {
  const lifecycle = createLifecycle({ log })
  let words = 0
  const away = {
    publish() {
      words++
      return new Promise<void>(() => {})
    },
  }
  // a clock that lets the next beat come at once
  const clock = { ...systemClock, sleep: () => Promise.resolve() }
  beatHeart({ bus: away, db: database.db, clock, log, lifecycle })
  await until('the first word waits', () => words === 1)
  const from = performance.now()
  await lifecycle.close()
  expect(performance.now() - from).toBeLessThan(1_000)
  expect(words).toBe(1)
})
