import { expect, test } from 'bun:test'
import { createTokenVerifier, TOKEN_AUDIENCE, TOKEN_ISSUER } from '@assay/core/kernel/verify-token'
import { signAccessToken } from './sign-access-token.ts'
import { openSigningKeys, planRotation, type StoredKey, signingKey } from './signing-keys.ts'

const HOUR = 3_600_000
const key = (kid: string, signsFrom: number) => ({ kid, signsFrom }) as StoredKey

test('the next key is published an hour before it signs and the previous one stays an hour after', () => {
  const first = key('a', 0)
  expect(planRotation([], 5)).toEqual({ keep: [], nextFrom: 5 })
  expect(planRotation([first], 23 * HOUR - 1)).toEqual({ keep: [first], nextFrom: null })
  expect(planRotation([first], 23 * HOUR)).toEqual({ keep: [first], nextFrom: 24 * HOUR })
  const both = [first, key('b', 24 * HOUR)]
  expect(signingKey(both, 24 * HOUR - 1).kid).toBe('a')
  expect(signingKey(both, 24 * HOUR).kid).toBe('b')
  expect(planRotation(both, 25 * HOUR - 1).keep).toEqual(both)
  expect(planRotation(both, 25 * HOUR).keep).toEqual([both[1]!])
})

test('after a long stop the new key signs at once', () => {
  expect(planRotation([key('a', 0)], 100 * HOUR)).toMatchObject({ nextFrom: 100 * HOUR })
})

test('a wall clock that jumped back before every key still finds one', () => {
  expect(signingKey([key('a', 10), key('b', 20)], 5).kid).toBe('a')
})

function openWorld() {
  const stored = new Map<string, string>()
  const time = { now: Date.UTC(2026, 0, 5) }
  const secrets = {
    getSecret: async (path: string, name: string) => stored.get(`${path}#${name}`) ?? null,
    setSecret: async (path: string, name: string, value: string) => void stored.set(`${path}#${name}`, value),
  }
  const clock = { now: () => time.now, monotonic: () => time.now, sleep: () => Promise.resolve() }
  return { time, clock, open: () => openSigningKeys({ secrets, clock, alone: (work) => work() }) }
}

test('a token signed before a rotation is valid after it, and after a restart', async () => {
  const world = openWorld()
  const keys = await world.open()
  const now = world.time.now / 1_000
  world.time.now += 24 * HOUR - 1_000
  await keys.rotate()
  const token = await signAccessToken(keys, {
    iss: TOKEN_ISSUER,
    aud: TOKEN_AUDIENCE,
    sub: 'u',
    sid: 's',
    jti: 'j',
    iat: now + 86_399,
    exp: now + 86_399 + 900,
    scope: '',
    role: 'trader',
    tenant: 'default',
    plan: 'standard',
  })
  world.time.now += 60_000
  const reopened = await world.open()
  expect(reopened.published().map((k) => k.kid)).toEqual(keys.published().map((k) => k.kid))
  expect(reopened.published()).toHaveLength(2)
  const verifier = createTokenVerifier({
    clock: world.clock,
    publicKey: reopened.publicKey,
    session: async () => ({ epoch: 0 }),
    apiKeyActor: async () => null,
  })
  expect(await verifier.verify(token)).toMatchObject({ userId: 'u' })
})

test('the published keys hold no private part', async () => {
  const keys = await openWorld().open()
  for (const published of keys.published())
    expect(Object.keys(published).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
})

test('a replaced key signs ten seconds after it is published, and the ones before it still verify', async () => {
  const world = openWorld()
  const keys = await world.open()
  const before = (await keys.current()).kid
  const { kid, signsFrom } = await keys.replace()
  expect(signsFrom).toBe(world.time.now + 10_000)
  expect(keys.published().map((key) => key.kid)).toEqual([before, kid])
  expect((await keys.current()).kid).toBe(before)
  world.time.now += 10_000
  expect((await keys.current()).kid).toBe(kid)
  await keys.rotate()
  expect(await keys.publicKey(before)).toBeDefined()
  world.time.now += HOUR
  await keys.rotate()
  expect(keys.published().map((key) => key.kid)).toEqual([kid])
})

test('what one gateway rotates another knows by the first token of it, and neither takes the key of the other away', async () => {
  const world = openWorld()
  const [one, other] = [await world.open(), await world.open()]
  expect(one.published()).toEqual(other.published())
  const first = await one.replace()
  expect(await other.publicKey(first.kid)).toBeDefined()
  const second = await other.replace()
  world.time.now += 2_000
  expect(await one.publicKey(second.kid)).toBeDefined()
  for (const keys of [one, other]) {
    world.time.now += 2_000
    await keys.reload()
    expect(keys.published()).toHaveLength(3)
  }
})
