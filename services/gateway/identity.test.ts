import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { openWorld, problem, UNLIMITED, type World } from './testing/world.ts'

const MINUTE = 60_000
const PASSWORD = 'correct horse battery'

describeAdapters('identity', databases, (openDatabase) => {
  let world: World
  let people = 0
  let addresses = 0
  let firstNotices: string[] = []
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
    firstNotices = world.running.notices!()
  })
  afterAll(() => world.database.drop())

  /** Another network each time, so that the login limits of one test do not reach another. */
  const newAddress = () => `10.${addresses >> 8}.${addresses++ & 255}.1`
  const newEmail = () => `person${people++}@assay.example`

  async function trader(email = newEmail()) {
    const address = newAddress()
    const registered = await world.ask('POST', '/api/auth/register', { body: { email, password: PASSWORD }, address })
    expect(registered.status).toBe(201)
    const from = { address, userAgent: 'client/1' }
    const login = () => world.ask('POST', '/api/auth/login', { body: { email, password: PASSWORD }, ...from })
    const refresh = (refresh_token: string) =>
      world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, ...from })
    return { email, id: registered.body.user.id as string, login, refresh }
  }
  const check = (token?: string) => world.ask('GET', '/api/auth/check', { token })

  describe('register', () => {
    test('makes a trader, whatever role is asked for, and keeps the e-mail in lower case (V8.2.3, V15.3.1)', async () => {
      const email = newEmail()
      const answer = await world.ask('POST', '/api/auth/register', {
        body: { email: email.toUpperCase(), password: PASSWORD, role: 'operator', plan: 'gold' },
        address: newAddress(),
      })
      expect(answer.status).toBe(201)
      expect(answer.body).toEqual({
        success: true,
        user: {
          id: expect.any(String),
          email,
          name: email.split('@')[0],
          role: 'trader',
          tenant: 'default',
          plan: 'standard',
        },
      })
    })

    test('a taken e-mail is a conflict in any case of letters, also when two register it at once', async () => {
      const { email } = await trader()
      const again = { body: { email: email.toUpperCase(), password: PASSWORD }, address: newAddress() }
      expect(problem(await world.ask('POST', '/api/auth/register', again))).toEqual({
        status: 409,
        code: 'conflict',
        field: 'email',
      })
      const body = { email: newEmail(), password: PASSWORD }
      const race = await Promise.all(
        [1, 2, 3].map(() => world.ask('POST', '/api/auth/register', { body, address: newAddress() })),
      )
      expect(race.map(({ status }) => status).sort()).toEqual([201, 409, 409])
    })

    test('a short or over-long password and a bad e-mail are refused by field; letters alone are enough (V6.2.1)', async () => {
      const post = async (body: object) =>
        problem(await world.ask('POST', '/api/auth/register', { body, address: newAddress() }))
      expect(await post({ email: newEmail(), password: '1234567' })).toMatchObject({ status: 422, field: 'password' })
      expect(await post({ email: newEmail(), password: 'x'.repeat(129) })).toMatchObject({
        status: 422,
        field: 'password',
      })
      expect(await post({ email: 'nobody', password: PASSWORD })).toMatchObject({ status: 422, field: 'email' })
      const body = { email: newEmail(), password: 'abcdefgh' }
      expect((await world.ask('POST', '/api/auth/register', { body, address: newAddress() })).status).toBe(201)
    })
  })

  describe('login', () => {
    test('gives an EdDSA access token of 15 minutes that names user, session, scope and role (V7.2.2)', async () => {
      const { id, login } = await trader()
      const { status, body, headers } = await login()
      expect(status).toBe(200)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(body).toEqual({
        success: true,
        token: expect.any(String),
        refresh_token: expect.any(String),
        expires_in: 900,
      })
      const [header, claims] = (body.token as string)
        .split('.')
        .slice(0, 2)
        .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
      expect(header).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: expect.any(String) })
      expect(claims).toMatchObject({
        iss: 'assay',
        aud: 'assay-api',
        sub: id,
        role: 'trader',
        tenant: 'default',
        plan: 'standard',
      })
      expect(claims.exp - claims.iat).toBe(900)
      expect(claims.scope.split(' ')).toContain('orders:write')
      const { keys } = (await world.ask('GET', '/.well-known/jwks.json')).body
      expect(keys.map((key: { kid: string }) => key.kid)).toContain(header.kid)
      expect(JSON.stringify(keys)).not.toContain('"d"')
    })

    test('a wrong password and an unknown e-mail get the same answer', async () => {
      const { email } = await trader()
      const attempt = async (asked: string) => {
        const { body } = await world.ask('POST', '/api/auth/login', {
          body: { email: asked, password: 'wrong password' },
          address: newAddress(),
        })
        const { request_id: _, ...rest } = body
        return rest
      }
      expect(await attempt(email)).toEqual(await attempt(newEmail()))
      expect(await attempt(email)).toMatchObject({ status: 401, code: 'invalid_credentials' })
    })

    test('five failures make an address wait, for an unknown e-mail too, and do not lock the owner out elsewhere', async () => {
      const { email, login } = await trader()
      for (const asked of [email, newEmail()]) {
        const address = newAddress()
        const attempt = (password: string) =>
          world.ask('POST', '/api/auth/login', { body: { email: asked, password }, address })
        for (let i = 0; i < 5; i++) expect((await attempt('wrong password')).status).toBe(401)
        const refused = await attempt(PASSWORD)
        expect(problem(refused)).toMatchObject({ status: 429, code: 'rate_limited' })
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(100)
      }
      expect((await login()).status).toBe(200)
    })
  })

  describe('access tokens', () => {
    test('check says whose token it is; without one, or with a changed one, the answer is 401 (V10.3.3)', async () => {
      const { id, email, login } = await trader()
      const { token } = (await login()).body
      expect((await check(token)).body).toMatchObject({
        authenticated: true,
        user: { id, email, role: 'trader' },
        credential: 'session',
        expires_at: new Date(Math.floor(world.time.now / 1_000) * 1_000 + 15 * MINUTE).toISOString(),
      })
      expect(problem(await check())).toMatchObject({ status: 401, code: 'unauthorized' })
      const changed = token.replace(/.{3}$/, (end: string) => (end === 'AAA' ? 'BBB' : 'AAA'))
      expect(problem(await check(changed))).toMatchObject({ status: 401 })
    })

    test('a token ends after 15 minutes', async () => {
      const { login } = await trader()
      const { token } = (await login()).body
      expect((await check(token)).status).toBe(200)
      world.time.now += 15 * MINUTE
      expect((await check(token)).status).toBe(401)
    })

    test('logout ends the access token at once and the refresh token with it, and no other session (V7.4.1)', async () => {
      const { login, refresh } = await trader()
      const [one, other] = [(await login()).body, (await login()).body]
      expect((await check(one.token)).status).toBe(200)
      expect((await world.ask('POST', '/api/auth/logout', { token: one.token })).body).toEqual({ success: true })
      expect((await check(one.token)).status).toBe(401)
      expect((await refresh(one.refresh_token)).status).toBe(401)
      expect((await check(other.token)).status).toBe(200)
      expect((await refresh(other.refresh_token)).status).toBe(200)
    })

    test('after a restart tokens of living sessions are valid and those of ended sessions are not', async () => {
      const { login } = await trader()
      const [one, other] = [(await login()).body, (await login()).body]
      await world.ask('POST', '/api/auth/logout', { token: one.token })
      await world.restart()
      expect((await check(one.token)).status).toBe(401)
      expect((await check(other.token)).status).toBe(200)
    })
  })

  describe('roles', () => {
    test('the first operator is made once, with a password that works and is told once', async () => {
      const [notice] = firstNotices
      await world.restart()
      expect(world.running.notices!()).toEqual([])
      const [, email, password] = /^first operator: (\S+) {2}password: (\S+) /.exec(notice!)!
      const answer = await world.ask('POST', '/api/auth/login', { body: { email, password }, address: newAddress() })
      expect((await check(answer.body.token)).body.user.role).toBe('operator')
    })
  })
})
