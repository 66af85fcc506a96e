import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  newPerson,
  PASSWORD as PERSONS_PASSWORD,
  type Person,
  withFactor,
} from '@assay/services/gateway/testing/person'
import { type Answer, openWorld, type World } from '@assay/services/gateway/testing/world'
import { newRefreshToken } from '@assay/services/gateway/tokens/refresh-token'
import document from '../../openapi/assay.json'

const DAY_MS = 86_400_000
const PASSWORD_OF_ALL = 'an honest sentence 41'
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
    expect(names.filter((name) => name !== '"token_type_hint"')).toEqual([])
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
  test('are new with every login, and end the one whose token the client shows with it, of nobody else (V7.2.4)', async () => {
    const password = 'three logins in a row'
    const email = await registered(password)
    const log = (token?: string) =>
      world.ask('POST', '/api/auth/login', {
        body: { email, password },
        address: `10.4.${people++}.1`,
        ...(token && { token }),
      })
    const check = async (token: string) => (await world.ask('GET', '/api/auth/check', { token })).status
    const [held, kept] = [(await log()).body, (await log()).body]
    const stranger = (await logIn(await registered(password), password)).body
    const next = (await log(held.token)).body
    await log(stranger.token)
    const sid = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).sid
    expect(new Set([held, kept, next].map(({ token }) => sid(token))).size).toBe(3)
    expect(await Promise.all([held, kept, next, stranger].map(({ token }) => check(token)))).toEqual([
      401, 200, 200, 200,
    ])
    const body = { refresh_token: held.refresh_token }
    expect((await world.ask('POST', '/api/auth/refresh', { body, address: '10.5.0.1' })).status).toBe(401)
  })
})

test('every login, right or wrong, is audited with who, from where and by what (V16.3.1)', async () => {
  const email = await registered(PASSWORD_OF_ALL)
  const events = async () =>
    (await world.events('audit.recorded')) as { action: string; actor: string; detail: Record<string, unknown> }[]
  const login = async (password: string, address: string) =>
    (await world.ask('POST', '/api/auth/login', { body: { email, password }, address })).status
  const before = (await events()).length
  expect([await login('a wrong sentence', '10.6.0.1'), await login(PASSWORD_OF_ALL, '10.6.0.2')]).toEqual([401, 200])
  const [failed, done] = (await events()).slice(before).filter(({ action }) => action.startsWith('login'))
  expect(failed).toMatchObject({ action: 'login.failed', detail: { network: '10.6.0.1' } })
  expect(done).toMatchObject({ action: 'login', actor: failed!.actor, detail: { amr: 'pwd' } })
  expect(JSON.stringify(await events())).not.toContain(email)
})

test('e-mail and password change for who says the password again, and a second factor where there is one (V7.5.1)', async () => {
  const change = (person: Person, body: object) => person.ask('PATCH', '/api/users/me', body)
  const code = ({ status, body }: Answer) => [status, body.code]
  const person = await newPerson(world)
  const { code: now } = await withFactor(world, person)
  world.time.now += 16 * 60_000
  const { refresh_token } = (await person.login({ totp: now() })).body
  world.time.now += 14 * 60_000
  const again = await world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, address: person.address })
  person.token = again.body.token
  world.time.now += 2 * 60_000
  const wanted = { email: 'moved@x.example', password: 'a further sentence 51' }
  for (const [field, value] of Object.entries(wanted)) {
    expect(code(await change(person, { [field]: value }))).toEqual([422, 'validation_failed'])
    expect(code(await change(person, { [field]: value, current_password: 'a wrong sentence' }))).toEqual([
      401,
      'invalid_credentials',
    ])
    expect(code(await change(person, { [field]: value, current_password: PERSONS_PASSWORD }))).toEqual([
      403,
      'step_up_required',
    ])
  }
  expect((await person.ask('POST', '/api/auth/totp/verify', { code: now() })).status).toBe(200)
  expect((await change(person, { password: wanted.password, current_password: PERSONS_PASSWORD })).status).toBe(200)
})

test('other sessions are seen, and ended by who has authenticated a moment ago; the own one at any time (V7.5.2)', async () => {
  const person = await newPerson(world)
  const other = person.token
  const { refresh_token } = (await person.login()).body
  world.time.now += 14 * 60_000
  const next = await world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, address: person.address })
  await world.ask('GET', '/api/auth/check', { token: other })
  person.token = next.body.token
  world.time.now += 2 * 60_000
  const sessions = async () =>
    (await person.ask('GET', '/api/auth/sessions')).body.items as { id: string; current: boolean }[]
  const [current, ...others] = [...(await sessions())].sort((a, b) => Number(b.current) - Number(a.current))
  expect(others).toHaveLength(1)
  const end = async (id: string) => (await person.ask('DELETE', `/api/auth/sessions/${id}`)).status
  expect(await end(others[0]!.id)).toBe(403)
  expect(await end(crypto.randomUUID())).toBe(404)
  expect(await sessions()).toHaveLength(2)
  const stale = person.token
  await person.login()
  expect(await end(others[0]!.id)).toBe(200)
  expect((await world.ask('DELETE', `/api/auth/sessions/${current!.id}`, { token: stale })).status).toBe(200)
})
