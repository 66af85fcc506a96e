import { expect, test } from 'bun:test'
import { AssayError } from '@assay/core/contracts/errors'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import type { Limits } from '@assay/core/ports/limits/port'
import { createAttemptGuard } from './attempt-guard.ts'

const nameOf = (email: string) => String(Bun.hash(email))

function setUp() {
  const time = { now: Date.UTC(2026, 0, 5) }
  const hits: string[] = []
  const limits = createMemoryLimits({ monotonic: () => time.now })
  const guard = createAttemptGuard({ limits, nameOf, onHit: (name) => hits.push(name) })
  const attempt = (address: string, email: string, known = false) =>
    guard.login({ address, email, isKnownAddress: async () => known }).then(
      (taken) => taken,
      (error) => error.options.retryAfterS as number,
    )
  return { guard, attempt, time, hits, limits }
}

test('the sixth failure from one address on one account waits, and another address and account do not (V6.3.1)', async () => {
  const { attempt, hits } = setUp()
  for (let i = 0; i < 5; i++) expect(await attempt('1.1.1.1', 'a@x.io')).toHaveProperty('succeeded')
  expect(await attempt('1.1.1.1', 'a@x.io')).toBe(180)
  expect(hits).toEqual(['login'])
  expect(await attempt('2.2.2.2', 'a@x.io')).toHaveProperty('succeeded')
  expect(await attempt('1.1.1.1', 'b@x.io')).toHaveProperty('succeeded')
})

test('requests from ever new addresses make no failed login forgotten, however many there are', async () => {
  const { attempt, limits } = setUp()
  for (let i = 0; i < 5; i++) await attempt('1.1.1.1', 'a@x.io')
  const read = { name: 'default', points: 60, windowMs: 60_000 }
  for (let i = 0; i < 150_000; i++) void limits.take(`a:2001:db8:${i >> 8}:${i & 255}::/64`, [read])
  expect(await attempt('1.1.1.1', 'a@x.io')).toBe(180)
})

test('who knows the password is not slowed down by logging in often', async () => {
  const { attempt } = setUp()
  for (let i = 0; i < 200; i++) {
    const taken = await attempt('1.1.1.1', 'a@x.io')
    if (typeof taken === 'number') throw new Error(`refused at ${i}`)
    await taken.succeeded()
  }
})

test('attempts that a busy machine refused do not count', async () => {
  const { attempt } = setUp()
  for (let i = 0; i < 200; i++) {
    const taken = await attempt('1.1.1.1', 'a@x.io')
    if (typeof taken === 'number') throw new Error(`refused at ${i}`)
    await taken.withdrawn()
  }
})

test('one address cannot try one password on many accounts', async () => {
  const { attempt } = setUp()
  for (let i = 0; i < 30; i++) expect(await attempt('1.1.1.1', `${i}@x.io`)).toHaveProperty('succeeded')
  expect(await attempt('1.1.1.1', 'last@x.io')).toBe(30)
})

test('many addresses are stopped at 100 failures on an account, while its owner still comes in from where he was', async () => {
  const { attempt } = setUp()
  for (let i = 0; i < 100; i++) expect(await attempt(`10.0.0.${i}`, 'a@x.io')).toHaveProperty('succeeded')
  expect(await attempt('10.0.1.1', 'a@x.io')).toBeNumber()
  expect(await attempt('9.9.9.9', 'a@x.io', true)).toHaveProperty('succeeded')
})

test('an IPv6 subscriber is one client, however many addresses it has', async () => {
  const { attempt } = setUp()
  for (let i = 0; i < 5; i++) await attempt(`2001:db8:1:2::${i}`, 'a@x.io')
  expect(await attempt('2001:db8:1:2:ffff::1', 'a@x.io')).toBeNumber()
  expect(await attempt('2001:db8:1:3::1', 'a@x.io')).toHaveProperty('succeeded')
})

test('registrations from one address are limited', async () => {
  const { guard } = setUp()
  for (let i = 0; i < 60; i++) await guard.registration('1.1.1.1')
  expect(await guard.registration('1.1.1.1').catch((error) => error.code)).toBe('rate_limited')
  await guard.registration('1.1.1.2')
})

test('while nobody can count attempts, nobody logs in, not even from a known address', async () => {
  const away = new AssayError('unavailable', 'away')
  for (const failing of ['login-address', 'login', 'login-account', 'register']) {
    const memory = createMemoryLimits({ monotonic: () => 0 })
    const limits: Limits = {
      ...memory,
      take: (client, asked) => (asked[0]!.name === failing ? Promise.reject(away) : memory.take(client, asked)),
    }
    const guard = createAttemptGuard({ limits, nameOf, onHit: () => {} })
    const attempt =
      failing === 'register'
        ? guard.registration('1.1.1.1')
        : guard.login({ address: '1.1.1.1', email: 'a@x.io', isKnownAddress: async () => true })
    expect([failing, await attempt.catch((error) => error)]).toEqual([failing, away])
  }
})

test('while nobody can count codes of a second factor, none is looked at, not even from a known address', async () => {
  const away = () => Promise.reject(new AssayError('unavailable', 'Limits are not counted now.'))
  const limits = { ...createMemoryLimits({ monotonic: () => 0 }), take: away } as Limits
  const guard = createAttemptGuard({ limits, nameOf, onHit() {} })
  const attempt = guard.code({ userId: 'u', address: '1.1.1.1', isKnownAddress: async () => true })
  expect(
    await attempt.then(
      () => 'counted',
      (error) => error.code,
    ),
  ).toBe('unavailable')
})

test('no e-mail stands in what counts: it may be a server that all replicas share', async () => {
  const { limits } = setUp()
  const named: string[] = []
  const take: Limits['take'] = (who, asked) => {
    named.push(who)
    return limits.take(who, asked)
  }
  const note = (who: string) => void named.push(who)
  const told = { ...limits, take, refund: note, forget: note } as Limits
  const guard = createAttemptGuard({ limits: told, nameOf, onHit() {} })
  const attempt = { address: '1.1.1.1', email: 'ada@x.io', isKnownAddress: async () => false }
  await (await guard.login(attempt)).succeeded()
  await (await guard.login(attempt)).withdrawn()
  await guard.letter(attempt)
  await guard.unlock('ada@x.io', ['1.1.1.1'])
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((who) => who.includes('ada'))).toEqual([])
})
