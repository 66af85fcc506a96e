import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { type Answer, openWorld, type World } from './testing/world.ts'

const MINUTE = 60_000
const PASSWORD = 'correct horse battery'

describeAdapters('identity', databases, (openDatabase) => {
  let world: World
  let people = 0
  let addresses = 0
  let firstNotices: string[] = []
  beforeAll(async () => {
    const limits = {
      RATE_LIMIT_PER_MINUTE: '1000000',
      RATE_LIMIT_PER_HOUR: '1000000',
      RATE_LIMIT_PER_DAY: '1000000',
    }
    world = await openWorld(limits, await openDatabase())
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
    const refresh = (refresh_token: string, other: object = {}) =>
      world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, ...from, ...other })
    return { email, id: registered.body.user.id as string, address, login, refresh }
  }
  const check = (token?: string) => world.ask('GET', '/api/auth/check', { token })
  async function operator() {
    const email = newEmail()
    await world.createUser({ email, password: PASSWORD, role: 'operator' })
    const answer = await world.ask('POST', '/api/auth/login', {
      body: { email, password: PASSWORD },
      address: newAddress(),
    })
    return answer.body.token as string
  }
  const problem = ({ status, body, headers }: Answer) => {
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(body).toMatchObject({ type: `urn:assay:error:${body.code}`, status, request_id: expect.any(String) })
    return { status, code: body.code as string, field: body.field as string | undefined }
  }

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

  describe('refresh', () => {
    test('each refresh token is good once, and its answer carries the next', async () => {
      const { login, refresh } = await trader()
      let { refresh_token } = (await login()).body
      for (let i = 0; i < 3; i++) {
        const answer = await refresh(refresh_token)
        expect(answer.body).toEqual({
          success: true,
          token: expect.any(String),
          refresh_token: expect.any(String),
          expires_in: 900,
        })
        expect((await check(answer.body.token)).status).toBe(200)
        expect(answer.body.refresh_token).not.toBe(refresh_token)
        refresh_token = answer.body.refresh_token
      }
    })

    test('reuse of an old token ends the whole family at once, is audited and announced', async () => {
      const { id, login, refresh } = await trader()
      const first = (await login()).body
      const second = (await refresh(first.refresh_token)).body
      const third = (await refresh(second.refresh_token)).body
      expect((await check(third.token)).status).toBe(200)
      expect(problem(await refresh(first.refresh_token))).toMatchObject({ status: 401, code: 'unauthorized' })
      for (const { token } of [first, second, third]) expect((await check(token)).status).toBe(401)
      expect((await refresh(third.refresh_token)).status).toBe(401)
      expect((await world.events('audit.recorded')).at(-1)).toMatchObject({
        action: 'session.reuse_detected',
        actor: id,
      })
      expect((await world.events('identity.revoked')).at(-1)).toMatchObject({ what: 'session', user_id: id })
    })

    test('a client whose answer was lost gets the same next token for 10 s, however often and at once it asks', async () => {
      const { login, refresh } = await trader()
      const { refresh_token } = (await login()).body
      const answers = await Promise.all([1, 2, 3, 4].map(() => refresh(refresh_token)))
      world.time.now += 9_000
      answers.push(await refresh(refresh_token))
      expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1)
      expect((await refresh(answers[0]!.body.refresh_token)).status).toBe(200)
    })

    test('later, or from another client, the same repeat is theft', async () => {
      const late = await trader()
      const lateFirst = (await late.login()).body
      const lateNext = (await late.refresh(lateFirst.refresh_token)).body
      world.time.now += 10_001
      expect((await late.refresh(lateFirst.refresh_token)).status).toBe(401)
      expect((await check(lateNext.token)).status).toBe(401)

      for (const other of [{ userAgent: 'thief/1' }, { address: '198.51.100.7' }]) {
        const { login, refresh } = await trader()
        const first = (await login()).body
        const next = (await refresh(first.refresh_token)).body
        expect((await refresh(first.refresh_token, other)).status).toBe(401)
        expect((await check(next.token)).status).toBe(401)
      }
    })

    test('a session ends after 30 minutes without a refresh (V7.3.1)', async () => {
      const { login, refresh } = await trader()
      const { refresh_token } = (await login()).body
      world.time.now += 30 * MINUTE - 1
      const next = await refresh(refresh_token)
      expect(next.status).toBe(200)
      world.time.now += 30 * MINUTE
      expect((await refresh(next.body.refresh_token)).status).toBe(401)
    })

    test('a session ends 12 hours after its login, however busy, and no token outlives it (V7.3.2)', async () => {
      const { login, refresh } = await trader()
      let tokens = (await login()).body
      for (let minutes = 20; minutes < 720; minutes += 20) {
        world.time.now += 20 * MINUTE
        tokens = (await refresh(tokens.refresh_token)).body
      }
      world.time.now += 10 * MINUTE
      tokens = (await refresh(tokens.refresh_token)).body
      expect(tokens.expires_in).toBeLessThanOrEqual(600)
      world.time.now += 10 * MINUTE
      expect((await check(tokens.token)).status).toBe(401)
      expect((await refresh(tokens.refresh_token)).status).toBe(401)
    })

    test('an unknown refresh token, an access token and an empty body are refused', async () => {
      const { login, refresh } = await trader()
      const { token } = (await login()).body
      expect((await refresh('assayr_unknown')).status).toBe(401)
      expect((await refresh(token.slice(0, 200))).status).toBe(401)
      expect(problem(await world.ask('POST', '/api/auth/refresh', { body: {} }))).toMatchObject({
        status: 422,
        field: 'refresh_token',
      })
    })
  })

  describe('API keys', () => {
    const make = (token: string, body: object) => world.ask('POST', '/api/api-keys', { token, body })
    const tokenOf = async () => (await (await trader()).login()).body.token as string

    test('a key is shown once, works at once, holds what a bot needs, and is listed by its ends only', async () => {
      const token = await tokenOf()
      const made = await make(token, { name: 'my bot' })
      expect(made.status).toBe(201)
      const { key, ...listed } = made.body
      expect(key).toMatch(/^assay_[0-9A-Za-z]{36}$/)
      expect(listed).toMatchObject({
        name: 'my bot',
        prefix: key.slice(0, 10),
        last4: key.slice(-4),
        limits: {},
        last_used_at: null,
      })
      expect(listed.scopes.toSorted()).toEqual(['market:read', 'orders:write', 'trading:read'])
      expect((await check(key)).body).toMatchObject({ credential: 'api_key', scopes: listed.scopes })
      expect((await world.ask('GET', '/api/api-keys', { token })).body).toEqual({ items: [listed], next: null })
      const rows = await world.database.db.as('gateway').query('select * from api_keys where id = $1', [listed.id])
      expect(JSON.stringify(rows)).not.toContain(key)
    })

    test('a deleted key is refused from then on and no longer listed', async () => {
      const token = await tokenOf()
      const { key, id } = (await make(token, { name: 'short-lived' })).body
      expect((await check(key)).status).toBe(200)
      expect((await world.ask('DELETE', `/api/api-keys/${id}`, { token })).body).toEqual({ success: true })
      expect((await check(key)).status).toBe(401)
      expect((await world.events('identity.revoked')).at(-1)).toMatchObject({ what: 'key', id })
      expect((await world.ask('GET', '/api/api-keys', { token })).body.items).toEqual([])
      expect(problem(await world.ask('DELETE', `/api/api-keys/${id}`, { token }))).toMatchObject({ status: 404 })
      await world.restart()
      expect((await check(key)).status).toBe(401)
    })

    test("nobody sees or deletes another's key, but an operator deletes any", async () => {
      const [mine, other] = [await tokenOf(), await tokenOf()]
      const { key, id } = (await make(mine, { name: 'mine' })).body
      expect((await world.ask('GET', '/api/api-keys', { token: other })).body.items).toEqual([])
      expect((await world.ask('DELETE', `/api/api-keys/${id}`, { token: other })).status).toBe(404)
      expect((await check(key)).status).toBe(200)
      expect((await world.ask('DELETE', `/api/api-keys/${id}`, { token: await operator() })).status).toBe(200)
      expect((await check(key)).status).toBe(401)
    })

    test('a key cannot hold more than its issuer, and without keys:write it makes no keys', async () => {
      const token = await tokenOf()
      expect(problem(await make(token, { name: 'x', scopes: ['ops:write'] }))).toEqual({
        status: 403,
        code: 'forbidden',
        field: 'scopes',
      })
      expect(problem(await make(token, { name: 'x', scopes: ['everything'] }))).toMatchObject({ status: 422 })
      const reader = (await make(token, { name: 'reader', scopes: ['market:read'] })).body.key
      expect(problem(await make(reader, { name: 'x' }))).toMatchObject({ status: 403 })
      const maker = (await make(token, { name: 'maker', scopes: ['keys:write', 'market:read'] })).body.key
      expect((await make(maker, { name: 'x', scopes: ['market:read'] })).status).toBe(201)
      expect((await make(maker, { name: 'x', scopes: ['orders:write'] })).status).toBe(403)
      expect(problem(await world.ask('POST', '/api/auth/logout', { token: maker }))).toMatchObject({ status: 403 })
    })

    test('a key ends at its expiry, a year by default', async () => {
      const token = await tokenOf()
      const year = (await make(token, { name: 'year' })).body
      expect(Date.parse(year.expires_at) - world.time.now).toBe(365 * 24 * 60 * MINUTE)
      expect((await make(token, { name: 'for ever', expires_at: null })).body.expires_at).toBeNull()
      const soon = new Date(world.time.now + MINUTE).toISOString()
      const { key } = (await make(token, { name: 'minute', expires_at: soon })).body
      expect((await check(key)).status).toBe(200)
      world.time.now += MINUTE
      expect((await check(key)).status).toBe(401)
      expect(problem(await make(token, { name: 'past', expires_at: soon }))).toMatchObject({
        status: 422,
        field: 'expires_at',
      })
    })

    test('traders may lower the limits of a key, operators raise them, also for others', async () => {
      const person = await trader()
      const { token } = (await person.login()).body
      expect((await make(token, { name: 'slow', limits: { orders_per_second: 5 } })).body.limits).toEqual({
        orders_per_second: 5,
      })
      expect((await make(token, { name: 'fast', limits: { orders_per_second: 101 } })).status).toBe(403)
      expect((await make(token, { name: 'fast', limits: { requests_per_minute: 1 } })).status).toBe(403)
      const limits = { orders_per_second: 10_000, requests_per_minute: 600_000 }
      const fast = await make(await operator(), { name: 'fast', limits, user_id: person.id })
      expect(fast.body.limits).toEqual(limits)
      expect((await check(fast.body.key)).body.user.id).toBe(person.id)
      expect((await make(token, { name: 'theirs', user_id: (await trader()).id })).status).toBe(403)
    })

    test('a list longer than a page is read page by page', async () => {
      const token = await tokenOf()
      for (let i = 0; i < 5; i++) await make(token, { name: `key ${i}` })
      const names: string[] = []
      let cursor: string | null = ''
      do {
        const { body }: Answer = await world.ask('GET', `/api/api-keys?limit=2${cursor ? `&cursor=${cursor}` : ''}`, {
          token,
        })
        names.push(...body.items.map(({ name }: { name: string }) => name))
        cursor = body.next
      } while (cursor)
      expect(names).toEqual(['key 4', 'key 3', 'key 2', 'key 1', 'key 0'])
    })

    test('a text of the right shape that is no key, or of no shape, is refused', async () => {
      for (const text of ['assay_', `assay_${'0'.repeat(36)}`, 'assayr_x', 'x'])
        expect((await check(text)).status).toBe(401)
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

  describe('limits', () => {
    test('past 60 requests a minute a client waits, by key, user or address, and the answer and the metric say so', async () => {
      const limited = await openWorld({}, world.database)
      const person = await trader()
      const login = await limited.ask('POST', '/api/auth/login', {
        body: { email: person.email, password: PASSWORD },
        address: newAddress(),
      })
      const token: string = login.body.token
      const { key } = (await limited.ask('POST', '/api/api-keys', { token, body: { name: 'bot' } })).body
      const statuses: number[] = []
      for (let i = 0; i < 60; i++) statuses.push((await limited.ask('GET', '/api/auth/check', { token })).status)
      expect(statuses.filter((status) => status === 200)).toHaveLength(60)
      const refused = await limited.ask('GET', '/api/auth/check', { token })
      expect(problem(refused)).toMatchObject({ status: 429, code: 'rate_limited' })
      expect(Object.fromEntries(refused.headers)).toMatchObject({
        'retry-after': '1',
        ratelimit: '"default";r=0;t=60',
        'ratelimit-policy': '"default";q=60;w=60',
      })
      expect((await limited.ask('GET', '/api/auth/check', { token: key })).status).toBe(200)
      expect(await limited.metrics()).toContain('rate_limit_hits_total{class="default"} 1')
    })

    test('reads without a credential are 50 an hour by address, and the JWKS is not counted', async () => {
      const limited = await openWorld({}, world.database)
      const address = newAddress()
      const anonymous = () => limited.ask('GET', '/api/auth/check', { address })
      for (let i = 0; i < 50; i++) expect((await anonymous()).status).toBe(401)
      expect((await anonymous()).status).toBe(429)
      expect((await limited.ask('GET', '/api/auth/check', { address: newAddress() })).status).toBe(401)
      expect((await limited.ask('GET', '/.well-known/jwks.json', { address })).status).toBe(200)
    })

    test('switched off, requests are not limited and login attempts still are', async () => {
      const open = await openWorld({ RATE_LIMIT_ENABLED: 'false' }, world.database)
      const address = newAddress()
      for (let i = 0; i < 70; i++) expect((await open.ask('GET', '/api/auth/check', { address })).status).toBe(401)
      const body = { email: newEmail(), password: PASSWORD }
      for (let i = 0; i < 5; i++)
        expect((await open.ask('POST', '/api/auth/login', { body, address })).status).toBe(401)
      expect((await open.ask('POST', '/api/auth/login', { body, address })).status).toBe(429)
    })
  })
})
