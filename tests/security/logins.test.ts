import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { newRefreshToken } from '@assay/services/gateway/auth/refresh-token'
import { openWorld, type World } from '@assay/services/gateway/testing/world'
import document from '../../openapi/assay.json'

const DAY_MS = 86_400_000
let world: World
let people = 0
beforeAll(async () => {
  const many = '1000000'
  world = await openWorld({ RATE_LIMIT_PER_MINUTE: many, RATE_LIMIT_PER_HOUR: many, RATE_LIMIT_PER_DAY: many })
}, 60_000)
afterAll(() => world.database.drop())

const logIn = (email: string, password: string) =>
  world.ask('POST', '/api/auth/login', { body: { email, password }, address: `10.1.${people}.${people++ % 250}` })
async function registered(password: string): Promise<string> {
  const email = `login${people}@x.example`
  const answer = await world.ask('POST', '/api/auth/register', {
    body: { email, password },
    address: `10.2.${people++}.1`,
  })
  expect([password.length, answer.status]).toEqual([password.length, 201])
  return email
}

describe('a password', () => {
  test('of 64 characters and of 128 may be chosen, of any kind (V6.2.5, V6.2.9)', async () => {
    for (const password of [
      'only small letters here',
      'ø漢 字🙂 ñandú z',
      '1 7 2 9 4 0 5 8 3 6',
      `${'word '.repeat(12)}4444`,
      'x y z '.repeat(21),
    ])
      expect((await logIn(await registered(password), password)).status).toBe(200)
  })
  test('is verified as it was sent: no end is cut off, no letter changed (V6.2.8)', async () => {
    const password = `${'A long Sentence, '.repeat(6)}End`
    const email = await registered(password)
    for (const other of [
      password.slice(0, -1),
      password.slice(0, 72),
      password.toLowerCase(),
      ` ${password}`,
      `${password} `,
    ])
      expect([other.length, (await logIn(email, other)).status]).toEqual([other.length, 401])
    expect((await logIn(email, password)).status).toBe(200)
  })
  test('is good until its owner changes it: nothing ends it by age (V6.2.10)', async () => {
    const password = 'the same for years on end'
    const email = await registered(password)
    world.time.now += 1_000 * DAY_MS
    expect((await logIn(email, password)).status).toBe(200)
  })
})

describe('accounts', () => {
  test('there is one after the first start, whose password nobody else knows (V6.3.2)', async () => {
    const fresh = await openWorld()
    const users = await fresh.database.db
      .as('gateway')
      .query<{ email: string; role: string }>('select email, role from users')
    expect(users.map(({ role }) => role)).toEqual(['operator'])
    for (const password of ['admin', 'password', 'operator', 'assay', 'changeme', users[0]!.email])
      expect(
        (
          await fresh.ask('POST', '/api/auth/login', {
            body: { email: users[0]!.email, password },
            address: `10.3.0.${people++}`,
          })
        ).status,
      ).not.toBe(200)
    const told = /password: (\S+)/.exec(fresh.running.notices!()[0]!)![1]!
    expect(Buffer.from(told, 'base64url').length).toBeGreaterThanOrEqual(16)
    await fresh.database.drop()
  })
  test('have no hints and no questions to remember them by (V6.4.2)', () => {
    const names =
      JSON.stringify(document).match(/"[a-z_]*(hint|question|secret_answer|maiden|birthday)[a-z_]*"/gi) ?? []
    expect(names).toEqual([])
  })
})

describe('sessions', () => {
  test('are known by tokens of 256 random bits, no two alike (V7.2.3)', () => {
    const tokens = Array.from({ length: 1_000 }, newRefreshToken)
    expect(new Set(tokens).size).toBe(1_000)
    for (const token of tokens) expect(Buffer.from(token.replace('assayr_', ''), 'base64url')).toHaveLength(32)
    // each byte of the token takes many values: none is fixed or counted
    for (let at = 0; at < 32; at++)
      expect(new Set(tokens.map((token) => Buffer.from(token.slice(7), 'base64url')[at])).size).toBeGreaterThan(200)
  })
  test('are new with every login, whatever the client held before (V7.2.4)', async () => {
    const password = 'three logins in a row'
    const email = await registered(password)
    const held = (await logIn(email, password)).body
    const next = await world.ask('POST', '/api/auth/login', {
      body: { email, password },
      token: held.token,
      address: '10.4.0.1',
    })
    const sid = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).sid
    expect(sid(next.body.token)).not.toBe(sid(held.token))
    expect(next.body.refresh_token).not.toBe(held.refresh_token)
  })
})
