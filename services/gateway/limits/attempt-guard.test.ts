import { expect, test } from 'bun:test'
import { createAttemptGuard } from './attempt-guard.ts'

function setUp() {
  const time = { now: Date.UTC(2026, 0, 5) }
  const hits: string[] = []
  const clock = { now: () => time.now, monotonic: () => time.now, sleep: () => Promise.resolve() }
  const guard = createAttemptGuard({ clock, onHit: (name) => hits.push(name) })
  const attempt = (address: string, email: string, known = false) =>
    guard.login({ address, email, isKnownAddress: async () => known }).then(
      (taken) => taken,
      (error) => error.options.retryAfterS as number,
    )
  return { guard, attempt, time, hits }
}

test('the sixth failure from one address on one account waits, and another address and account do not', async () => {
  const { attempt, hits } = setUp()
  for (let i = 0; i < 5; i++) expect(await attempt('1.1.1.1', 'a@x.io')).toHaveProperty('succeeded')
  expect(await attempt('1.1.1.1', 'a@x.io')).toBe(180)
  expect(hits).toEqual(['login'])
  expect(await attempt('2.2.2.2', 'a@x.io')).toHaveProperty('succeeded')
  expect(await attempt('1.1.1.1', 'b@x.io')).toHaveProperty('succeeded')
})

test('who knows the password is not slowed down by logging in often', async () => {
  const { attempt } = setUp()
  for (let i = 0; i < 200; i++) {
    const taken = await attempt('1.1.1.1', 'a@x.io')
    if (typeof taken === 'number') throw new Error(`refused at ${i}`)
    taken.succeeded()
  }
})

test('attempts that a busy machine refused do not count', async () => {
  const { attempt } = setUp()
  for (let i = 0; i < 200; i++) {
    const taken = await attempt('1.1.1.1', 'a@x.io')
    if (typeof taken === 'number') throw new Error(`refused at ${i}`)
    taken.withdrawn()
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
  for (let i = 0; i < 60; i++) guard.registration('1.1.1.1')
  expect(() => guard.registration('1.1.1.1')).toThrow('rate_limited')
  guard.registration('1.1.1.2')
})
