import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { openWorld, type World } from '../testing/world.ts'
import { sweepOAuth } from './sweep-oauth.ts'
import { claimsOf, newPkce, openBrowser, type TestBrowser } from './testing/browser.ts'

const BASE = 'http://localhost'
const PASSWORD = 'correct horse battery'
const SECOND = 1_000
const REDIRECT = 'https://app.example/callback'

describeAdapters('OAuth', databases, (openDatabase) => {
  let world: World
  let clientId: string
  let people = 0
  let addresses = 0
  beforeAll(async () => {
    const limits = { RATE_LIMIT_PER_MINUTE: '1000000', RATE_LIMIT_PER_HOUR: '1000000', RATE_LIMIT_PER_DAY: '1000000' }
    world = await openWorld(limits, await openDatabase())
    clientId = (await register({ client_name: 'Robot', redirect_uris: [REDIRECT, 'http://127.0.0.1/cb'] })).body
      .client_id
  })
  afterAll(() => world.database.drop())

  const newAddress = () => `10.9.${addresses >> 8}.${addresses++ & 255}`
  const register = (body: unknown, address = newAddress()) => world.ask('POST', '/oauth/register', { body, address })
  async function person(role: 'trader' | 'operator' = 'trader') {
    const email = `oauth${people++}@assay.example`
    const { id } = await world.createUser({ email, password: PASSWORD, role })
    return { email, id }
  }
  async function form(path: string, fields: Record<string, string> | [string, string][], address = '203.0.113.7') {
    const response = await world.handle(
      new Request(BASE + path, {
        method: 'POST',
        headers: {
          'x-forwarded-for': address,
          'user-agent': 'client',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams(fields).toString(),
      }),
    )
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null }
  }
  const newBrowser = () => {
    const address = newAddress()
    return openBrowser((request) => {
      request.headers.set('x-forwarded-for', address)
      return world.handle(request)
    }, BASE)
  }
  const asking = (more: Record<string, string | null> = {}) => {
    const { verifier, challenge } = newPkce()
    const params = Object.entries({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: REDIRECT,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      scope: 'market:read trading:read orders:write',
      state: 'some state&',
      ...more,
    }).filter((entry): entry is [string, string] => entry[1] !== null)
    return { verifier, path: `/oauth/authorize?${new URLSearchParams(params)}` }
  }
  const signIn = async (browser: TestBrowser, path: string, email: string, password = PASSWORD) => {
    const page = await browser.open(path)
    expect(page.status).toBe(200)
    return browser.submit(page, '/oauth/login', { email, password })
  }
  /** The whole way to a code. */
  async function authorize(email: string, more: Record<string, string | null> = {}) {
    const { verifier, path } = asking(more)
    const browser = newBrowser()
    const consent = await signIn(browser, path, email)
    const back = consent.location ? consent : await browser.submit(consent, '/oauth/consent', { decision: 'allow' })
    expect(back.status).toBe(303)
    return {
      verifier,
      code: back.location!.searchParams.get('code')!,
      location: back.location!,
      asked: !consent.location,
    }
  }
  const exchange = ({ code, verifier }: { code: string; verifier: string }, more: Record<string, string> = {}) =>
    form('/oauth/token', {
      grant_type: 'authorization_code',
      client_id: clientId,
      redirect_uri: REDIRECT,
      code,
      code_verifier: verifier,
      ...more,
    })
  const refresh = (refresh_token: string, more: Record<string, string> = {}, address?: string) =>
    form('/oauth/token', { grant_type: 'refresh_token', client_id: clientId, refresh_token, ...more }, address)
  const check = (token: string) => world.ask('GET', '/api/auth/check', { token })
  async function granted(more: Record<string, string | null> = {}) {
    const { email, id } = await person()
    const { body } = await exchange(await authorize(email, more))
    expect(body.token_type).toBe('Bearer')
    return {
      email,
      id,
      ...(body as { access_token: string; refresh_token: string; scope: string; expires_in: number }),
    }
  }
  const audited = async (action: string) =>
    (await world.events('audit.recorded')).filter((event) => event.action === action)

  describe('discovery', () => {
    test('both documents name this address, at the root and below /mcp, and nothing else is a resource', async () => {
      const get = (path: string) => world.ask('GET', `/.well-known/${path}`)
      const server = (await get('oauth-authorization-server')).body
      expect(server).toMatchObject({
        issuer: BASE,
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true,
      })
      expect((await get('oauth-authorization-server/mcp')).body).toEqual(server)
      expect((await get('oauth-protected-resource')).body).toMatchObject({
        resource: BASE,
        authorization_servers: [BASE],
      })
      expect((await get('oauth-protected-resource/mcp')).body.resource).toBe(`${BASE}/mcp`)
      expect((await get('oauth-protected-resource/other')).status).toBe(404)
      expect((await get('oauth-authorization-server/other')).status).toBe(404)
    })

    test('a refusal of the API says where the metadata is', async () => {
      const { status, headers } = await world.ask('GET', '/api/auth/check')
      expect(status).toBe(401)
      expect(headers.get('www-authenticate')).toBe(
        `Bearer resource_metadata="${BASE}/.well-known/oauth-protected-resource"`,
      )
    })

    test('behind another name, without PUBLIC_URL, there is no OAuth: a Host header makes no issuer', async () => {
      const answer = await world.handle(new Request('http://evil.example/.well-known/oauth-authorization-server'))
      expect(answer.status).toBe(503)
    })
  })

  describe('registration', () => {
    test('makes a public client, whatever authentication it asks for', async () => {
      const { status, body, headers } = await register({
        redirect_uris: [REDIRECT],
        client_name: '  Evil\u202e\n name ',
        token_endpoint_auth_method: 'client_secret_basic',
      })
      expect(status).toBe(201)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(body).toMatchObject({
        client_id: expect.stringMatching(/^assayc_/),
        client_name: 'Evil name',
        token_endpoint_auth_method: 'none',
      })
      expect(body.client_secret).toBeUndefined()
    })

    test('refuses addresses that codes must not go to, in the words of RFC 7591', async () => {
      const error = async (body: unknown) => {
        const answer = await register(body)
        return [answer.status, answer.body.error]
      }
      expect(await error({ redirect_uris: ['http://app.example/cb'] })).toEqual([400, 'invalid_redirect_uri'])
      expect(await error({ redirect_uris: ['javascript:alert(1)'] })).toEqual([400, 'invalid_redirect_uri'])
      expect(await error({ redirect_uris: [] })).toEqual([400, 'invalid_client_metadata'])
      expect(await error({ redirect_uris: Array(21).fill(REDIRECT) })).toEqual([400, 'invalid_client_metadata'])
      expect(await error({ redirect_uris: [REDIRECT], grant_types: ['client_credentials'] })).toEqual([
        400,
        'invalid_client_metadata',
      ])
      expect(await error('text')).toEqual([400, 'invalid_client_metadata'])
    })

    test('is limited to 20 in an hour from one network', async () => {
      const address = newAddress()
      for (let i = 0; i < 20; i++) expect((await register({ redirect_uris: [REDIRECT] }, address)).status).toBe(201)
      const refused = await register({ redirect_uris: [REDIRECT] }, address)
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    })
  })

  describe('what a client asks for', () => {
    test('an unknown client or another address than its own is told to the user, never to that address (V3.7.2)', async () => {
      const browser = newBrowser()
      const wrong: Record<string, string | null>[] = [
        { client_id: 'assayc_unknown' },
        { client_id: null },
        { redirect_uri: 'https://evil.example/callback' },
        { redirect_uri: `${REDIRECT}/` },
        { redirect_uri: null },
        { redirect_uri: 'javascript:alert(1)' },
      ]
      for (const more of wrong) {
        const page = await browser.open(asking(more).path)
        expect({ more, status: page.status, location: page.location }).toEqual({ more, status: 400, location: null })
        expect(page.headers.get('content-type')).toContain('text/html')
      }
      const twice = await browser.open(`${asking().path}&client_id=other`)
      expect(twice.status).toBe(400)
    })

    test('everything else that is wrong goes back to the client, with its state and our name (V10.4.4)', async () => {
      const browser = newBrowser()
      const error = async (more: Record<string, string | null>, suffix = '') => {
        const { location, status } = await browser.open(asking(more).path + suffix)
        expect(status).toBe(303)
        expect(location!.origin + location!.pathname).toBe(REDIRECT)
        expect(location!.searchParams.get('state')).toBe('some state&')
        expect(location!.searchParams.get('iss')).toBe(BASE)
        return location!.searchParams.get('error')
      }
      expect(await error({ response_type: 'token' })).toBe('unsupported_response_type')
      expect(await error({ code_challenge: null })).toBe('invalid_request')
      expect(await error({ code_challenge: 'short' })).toBe('invalid_request')
      expect(await error({ code_challenge_method: 'plain' })).toBe('invalid_request')
      expect(await error({ code_challenge_method: null })).toBe('invalid_request')
      expect(await error({ scope: 'users:write ops:write' })).toBe('invalid_scope')
      expect(await error({ resource: 'https://other.example/mcp' })).toBe('invalid_target')
      expect(await error({ resource: `${BASE}/mcp` }, `&resource=${BASE}`)).toBe('invalid_target')
      expect(await error({ response_mode: 'fragment' })).toBe('invalid_request')
    })

    test('a loopback address is good on any port', async () => {
      const page = await newBrowser().open(asking({ redirect_uri: 'http://127.0.0.1:49152/cb' }).path)
      expect(page.status).toBe(200)
      expect(page.headers.get('content-security-policy')).toContain("form-action 'self' http://127.0.0.1:49152;")
    })

    test('scopes that no agent may have are left out of the question (V10.4.11)', async () => {
      const { email } = await person('operator')
      const consent = await signIn(
        newBrowser(),
        asking({ scope: 'market:read users:write keys:write ops:write' }).path,
        email,
      )
      expect(consent.fields.filter(([name]) => name === 'scope')).toEqual([['scope', 'market:read']])
    })
  })

  describe('pages', () => {
    test('run no script, load nothing, are not framed and not kept', async () => {
      const browser = newBrowser()
      const page = await browser.open(asking().path)
      const policy = page.headers.get('content-security-policy')!
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).toContain("form-action 'self' https://app.example;")
      expect(policy).not.toContain('script-src')
      expect(policy).not.toContain('unsafe-inline')
      expect(page.headers.get('x-frame-options')).toBe('DENY')
      expect(page.headers.get('cache-control')).toBe('no-store')
      expect(page.text).not.toContain('<script')
      expect(page.headers.getSetCookie()[0]).toMatch(
        /^assay-oauth=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/,
      )
    })

    test("a client's words are text on them", async () => {
      const { body } = await register({ redirect_uris: [REDIRECT], client_name: `<img src=x onerror="alert('1')">` })
      const page = await newBrowser().open(asking({ client_id: body.client_id }).path)
      expect(page.text).toContain('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;')
      expect(page.text).not.toContain('<img')
    })

    test('a wrong password shows the form again, with the e-mail and without a password, and gives nothing', async () => {
      const { email } = await person()
      const page = await signIn(newBrowser(), asking().path, email, 'wrong password')
      expect(page.status).toBe(403)
      expect(page.text).toContain('role="alert"')
      expect(page.text).toContain(`value="${email}"`)
      expect(page.text).not.toContain('wrong password')
      expect(page.location).toBeNull()
    })

    test('the limits of logins hold here', async () => {
      const { email } = await person()
      const browser = newBrowser()
      const page = await browser.open(asking().path)
      const attempt = (password: string) => browser.submit(page, '/oauth/login', { email, password })
      for (let i = 0; i < 5; i++) expect((await attempt('wrong password')).status).toBe(403)
      const refused = await attempt(PASSWORD)
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    })

    test('a form of another browser, of no page, changed, or too old opens nothing (V3.5.1)', async () => {
      const { email } = await person()
      const browser = newBrowser()
      const page = await browser.open(asking().path)
      const other = newBrowser()
      await other.open(asking().path)
      const fields: [string, string][] = [...page.fields, ['email', email], ['password', PASSWORD]]
      expect((await other.post('/oauth/login', fields)).status).toBe(400)
      expect((await newBrowser().post('/oauth/login', fields)).status).toBe(400)
      const [body, mac] = page.fields[0]![1].split('.') as [string, string]
      const changed = Buffer.from(
        Buffer.from(body, 'base64url').toString().replace('app.example', 'evil.example'),
      ).toString('base64url')
      expect((await browser.post('/oauth/login', [['request', `${changed}.${mac}`], ...fields.slice(1)])).status).toBe(
        400,
      )
      expect((await browser.post('/oauth/login', fields, { origin: 'https://evil.example' })).status).toBe(400)
      world.time.now += 11 * 60 * SECOND
      expect((await browser.post('/oauth/login', fields)).status).toBe(400)
    })

    test('a consent is answered once, by the browser that was asked (V7.6.2)', async () => {
      const { email } = await person()
      const browser = newBrowser()
      const consent = await signIn(browser, asking().path, email)
      const other = newBrowser()
      await other.open(asking().path)
      expect((await other.submit(consent, '/oauth/consent', { decision: 'allow' })).status).toBe(400)
      expect((await browser.submit(consent, '/oauth/consent', { decision: 'allow' })).status).toBe(303)
      expect((await browser.submit(consent, '/oauth/consent', { decision: 'allow' })).status).toBe(400)
    })

    test('JSON is no form, and forms are for these routes only', async () => {
      const post = async (path: string, type: string, body: string) => {
        const headers = { 'content-type': type, 'content-length': String(body.length) }
        return (await world.handle(new Request(BASE + path, { method: 'POST', headers, body }))).status
      }
      const formType = 'application/x-www-form-urlencoded'
      expect(await post('/oauth/token', 'application/json', '{"grant_type":"refresh_token"}')).toBe(415)
      expect(await post('/oauth/consent', 'text/plain', 'ticket=x&decision=allow')).toBe(415)
      expect(await post('/api/auth/login', formType, 'email=a%40b.example&password=x')).toBe(415)
      expect(await post('/oauth/register', formType, 'redirect_uris=https://app.example')).toBe(415)
    })
  })

  describe('consent', () => {
    test('the code comes back with state and issuer; the token is for this user, client and resource, with these scopes', async () => {
      const { email, id } = await person()
      const { location, code, verifier } = await authorize(email)
      expect(location.searchParams.get('state')).toBe('some state&')
      expect(location.searchParams.get('iss')).toBe(BASE)
      const { status, body, headers } = await exchange({ code, verifier })
      expect(status).toBe(200)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(body).toMatchObject({
        token_type: 'Bearer',
        expires_in: 900,
        scope: 'market:read trading:read orders:write',
      })
      expect(claimsOf(body.access_token)).toMatchObject({
        iss: BASE,
        aud: ['assay-api', BASE],
        sub: id,
        client_id: clientId,
        scope: 'market:read trading:read orders:write',
        role: 'trader',
        tenant: 'default',
      })
      const known = await check(body.access_token)
      expect(known.status).toBe(200)
      expect(known.body.scopes).toEqual(['market:read', 'trading:read', 'orders:write'])
      expect((await world.ask('GET', '/api/api-keys', { token: body.access_token })).status).toBe(403)
    })

    test('a user gives less than was asked for by unticking it', async () => {
      const { email } = await person()
      const { verifier, path } = asking()
      const browser = newBrowser()
      const consent = await signIn(browser, path, email)
      const kept = consent.fields.filter(([, value]) => value !== 'orders:write')
      const back = await browser.post('/oauth/consent', [...kept, ['scope', 'users:write'], ['decision', 'allow']])
      const { body } = await exchange({ code: back.location!.searchParams.get('code')!, verifier })
      expect(body.scope).toBe('market:read trading:read')
    })

    test('not allowed, or allowed nothing, the client hears access_denied and the login is gone', async () => {
      for (const decision of ['deny', 'allow']) {
        const { email, id } = await person()
        const browser = newBrowser()
        const consent = await signIn(browser, asking().path, email)
        const ticket = consent.fields.filter(([name]) => name === 'ticket')
        const back = await browser.post('/oauth/consent', [...ticket, ['decision', decision]])
        expect(back.location!.searchParams.get('error')).toBe('access_denied')
        expect(back.location!.searchParams.get('code')).toBeNull()
        const sessions = await world.database.db.as('gateway').query('select 1 from sessions where user_id = $1', [id])
        expect(sessions).toEqual([])
      }
    })

    test('what the same client may do already is not asked again; more of it is, and so is all once the session ended', async () => {
      const { email } = await person()
      const first = await authorize(email)
      const { body } = await exchange(first)
      expect(first.asked).toBe(true)
      expect((await authorize(email, { scope: 'market:read' })).asked).toBe(false)
      expect((await authorize(email, { scope: 'market:read trading:write' })).asked).toBe(true)
      expect((await authorize(email, { resource: `${BASE}/mcp` })).asked).toBe(true)
      await form('/oauth/revoke', { client_id: clientId, token: body.refresh_token })
      expect((await authorize(email)).asked).toBe(true)
    })

    test('a program of the own machine is asked about every time (V10.7.1)', async () => {
      const { email } = await person()
      const redirect_uri = 'http://127.0.0.1:5000/cb'
      await exchange(await authorize(email, { redirect_uri }), { redirect_uri })
      expect((await authorize(email, { redirect_uri })).asked).toBe(true)
    })

    test('a token for another resource is not one for the API (V9.2.4)', async () => {
      const { access_token } = await granted({ resource: `${BASE}/mcp/` })
      expect(claimsOf(access_token).aud).toEqual([`${BASE}/mcp`])
      expect((await check(access_token)).status).toBe(401)
    })
  })

  describe('codes', () => {
    test('are good for a minute (V10.4.3)', async () => {
      const { email } = await person()
      const grant = await authorize(email)
      world.time.now += 60 * SECOND
      expect((await exchange(grant)).body.error).toBe('invalid_grant')
    })

    test('are good once, also when two bring one at a time; the second use ends what the first gave, at once (V10.4.2)', async () => {
      const { email } = await person()
      const grant = await authorize(email)
      const answers = await Promise.all([exchange(grant), exchange(grant)])
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 400])
      const { body } = answers.find(({ status }) => status === 200)!
      expect((await check(body.access_token)).status).toBe(401)
      expect((await refresh(body.refresh_token)).body.error).toBe('invalid_grant')
      expect((await audited('oauth.code_misused')).at(-1)).toMatchObject({ detail: { client: clientId } })
    })

    test('without the verifier, the client or the address of the request they give nothing, and are burnt', async () => {
      const wrongs: Record<string, string>[] = [
        { code_verifier: newPkce().verifier },
        { client_id: 'assayc_other' },
        { redirect_uri: 'http://127.0.0.1/cb' },
        { resource: `${BASE}/mcp` },
      ]
      for (const wrong of wrongs) {
        const { email } = await person()
        const grant = await authorize(email)
        expect((await exchange(grant, wrong)).body.error).toBe('invalid_grant')
        expect((await exchange(grant)).body.error).toBe('invalid_grant')
      }
    })

    test('need a verifier, and parameters that come once (V10.4.6)', async () => {
      const { email } = await person()
      const { code } = await authorize(email)
      const fields: [string, string][] = [
        ['grant_type', 'authorization_code'],
        ['client_id', clientId],
        ['code', code],
      ]
      expect((await form('/oauth/token', fields)).body).toMatchObject({ error: 'invalid_request' })
      expect((await form('/oauth/token', [...fields, ['code_verifier', 'short']])).body.error).toBe('invalid_request')
      expect((await form('/oauth/token', [...fields, ['client_id', clientId]])).body.error).toBe('invalid_request')
      expect((await form('/oauth/token', [['grant_type', 'password'], ...fields.slice(1)])).body.error).toBe(
        'unsupported_grant_type',
      )
      expect((await form('/oauth/token', fields.slice(1))).body.error).toBe('invalid_request')
    })

    test('are stored as a hash only', async () => {
      const { email } = await person()
      const { code } = await authorize(email)
      const rows = await world.database.db.as('gateway').query('select * from oauth_codes')
      expect(rows.length).toBeGreaterThan(0)
      expect(JSON.stringify(rows)).not.toContain(code)
    })
  })

  describe('refresh', () => {
    test('gives the next pair; a lost answer can be asked for again by the same client; any other reuse ends the family (V10.4.5)', async () => {
      const { refresh_token, access_token } = await granted()
      const second = (await refresh(refresh_token)).body
      expect(second.scope).toBe('market:read trading:read orders:write')
      expect((await refresh(refresh_token)).body.refresh_token).toBe(second.refresh_token)
      const thief = await refresh(refresh_token, {}, '198.51.100.9')
      expect(thief).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
      for (const token of [access_token, second.access_token]) expect((await check(token)).status).toBe(401)
      expect((await refresh(second.refresh_token)).body.error).toBe('invalid_grant')
    })

    test('can ask for less, never for more, and a wrong question does not use the token up', async () => {
      const { refresh_token } = await granted()
      expect((await refresh(refresh_token, { scope: 'market:read trading:write' })).body.error).toBe('invalid_scope')
      expect((await refresh(refresh_token, { resource: `${BASE}/mcp` })).body.error).toBe('invalid_target')
      const less = (await refresh(refresh_token, { scope: 'market:read' })).body
      expect(less.scope).toBe('market:read')
      expect(claimsOf(less.access_token).scope).toBe('market:read')
      expect((await refresh(less.refresh_token)).body.scope).toBe('market:read trading:read orders:write')
    })

    test("is for the client it was given to, and a client's token opens no session of its user", async () => {
      const { refresh_token } = await granted()
      expect((await refresh(refresh_token, { client_id: 'assayc_other' })).body.error).toBe('invalid_grant')
      const own = await world.ask('POST', '/api/auth/refresh', { body: { refresh_token } })
      expect(own.status).toBe(401)
      const { email } = await person()
      const login = await world.ask('POST', '/api/auth/login', {
        body: { email, password: PASSWORD },
        address: newAddress(),
      })
      expect((await refresh(login.body.refresh_token)).body.error).toBe('invalid_grant')
      expect((await refresh(refresh_token)).status).toBe(200)
    })

    test('gives what the role holds now', async () => {
      const { id, refresh_token } = await granted({ scope: 'market:read trading:write' })
      await world.database.db.as('gateway').query(`update users set role = 'bot' where id = $1`, [id])
      expect((await refresh(refresh_token)).body.scope).toBe('market:read')
    })

    test('ends after half an hour idle, and with the session after twelve hours (V7.6.1, V10.4.8)', async () => {
      const idle = await granted()
      world.time.now += 30 * 60 * SECOND
      expect((await refresh(idle.refresh_token)).body.error).toBe('invalid_grant')
      let { refresh_token } = await granted()
      let ended = false
      for (let minutes = 0; minutes < 13 * 60 && !ended; minutes += 25) {
        world.time.now += 25 * 60 * SECOND
        const { status, body } = await refresh(refresh_token)
        ended = status !== 200
        if (!ended) refresh_token = body.refresh_token
        else expect(minutes + 25).toBeGreaterThanOrEqual(12 * 60)
      }
      expect(ended).toBe(true)
    })
  })

  describe('revocation', () => {
    test('of either token ends both at once', async () => {
      for (const kind of ['access_token', 'refresh_token'] as const) {
        const tokens = await granted()
        expect((await check(tokens.access_token)).status).toBe(200)
        const answer = await form('/oauth/revoke', { client_id: clientId, token: tokens[kind] })
        expect(answer).toMatchObject({ status: 200, body: {} })
        expect((await check(tokens.access_token)).status).toBe(401)
        expect((await refresh(tokens.refresh_token)).body.error).toBe('invalid_grant')
        expect((await world.events('identity.revoked')).at(-1)).toMatchObject({ what: 'session', user_id: tokens.id })
      }
    })

    test('of what is not known is no error; of what is another client’s is refused and ends nothing', async () => {
      expect((await form('/oauth/revoke', { client_id: clientId, token: 'nonsense' })).status).toBe(200)
      expect((await form('/oauth/revoke', { client_id: clientId, token: 'a.b.c' })).status).toBe(200)
      const { access_token } = await granted()
      const other = await form('/oauth/revoke', { client_id: 'assayc_other', token: access_token })
      expect(other).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
      expect((await check(access_token)).status).toBe(200)
      const [header, , signature] = access_token.split('.') as [string, string, string]
      const forged = `${header}.${Buffer.from(JSON.stringify(claimsOf(access_token)))
        .toString('base64url')
        .slice(0, -2)}.${signature}`
      await form('/oauth/revoke', { client_id: clientId, token: forged })
      expect((await check(access_token)).status).toBe(200)
    })

    test('a logout with the token of a client ends its grant', async () => {
      const { access_token, refresh_token } = await granted()
      expect((await world.ask('POST', '/api/auth/logout', { token: access_token })).status).toBe(200)
      expect((await refresh(refresh_token)).body.error).toBe('invalid_grant')
    })

    test('a user who is disabled has no grants, codes or pages any more', async () => {
      const { email, id, access_token, refresh_token } = await granted()
      const grant = await authorize(email)
      const browser = newBrowser()
      const consent = await signIn(browser, asking({ scope: 'trading:write' }).path, email)
      await world.database.db.as('gateway').query('update users set disabled_at = now() where id = $1', [id])
      expect((await exchange(grant)).body.error).toBe('invalid_grant')
      expect((await refresh(refresh_token)).body.error).toBe('invalid_grant')
      expect((await browser.submit(consent, '/oauth/consent', { decision: 'allow' })).status).toBe(400)
      await world.restart()
      expect((await check(access_token)).status).toBe(401)
    })
  })

  test('clients that nobody used for a day, codes and pages that nobody answered are removed', async () => {
    const { email } = await person()
    const { client_id } = (await register({ redirect_uris: [REDIRECT] })).body
    await authorize(email)
    await signIn(newBrowser(), asking({ scope: 'trading:write' }).path, email)
    await granted()
    const count = async (table: string, where = 'true') =>
      (await world.database.db.as('gateway').query(`select 1 from ${table} where ${where}`)).length
    world.time.now += 25 * 3_600 * SECOND
    await sweepOAuth({
      database: world.database.db.as('gateway') as never,
      clock: { now: () => world.time.now } as never,
    })
    expect(await count('oauth_tickets')).toBe(0)
    expect(await count('oauth_codes', 'used_at is null')).toBe(0)
    expect(await count('oauth_clients', `id = '${client_id}'`)).toBe(0)
    expect(await count('oauth_clients', `id = '${clientId}'`)).toBe(1)
  })

  test('every step is told to the audit log, without codes, tokens and e-mails', async () => {
    const { id, email, access_token, refresh_token } = await granted()
    await form('/oauth/revoke', { client_id: clientId, token: refresh_token })
    const events = (await world.events('audit.recorded')).filter(({ actor }) => actor === id)
    expect(events.map(({ action }) => action)).toEqual([
      'user.created',
      'login',
      'oauth.allowed',
      'oauth.granted',
      'oauth.revoked',
    ])
    for (const secret of [email, access_token, refresh_token]) expect(JSON.stringify(events)).not.toContain(secret)
  })
})
