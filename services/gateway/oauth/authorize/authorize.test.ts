import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { newPerson, withFactor } from '../../testing/person.ts'
import type { World } from '../../testing/world.ts'
import { claimsOf } from '../testing/browser.ts'
import { BASE, type OAuthWorld, openOAuth, PASSWORD, REDIRECT } from '../testing/oauth-world.ts'

const SECOND = 1_000

describeAdapters('OAuth: asking', databases, (openDatabase) => {
  let oauth: OAuthWorld
  let world: World
  let clientId: string
  beforeAll(async () => {
    oauth = await openOAuth(await openDatabase())
    world = oauth.world
    clientId = oauth.clientId
  }, 60_000)
  afterAll(() => world.database.drop())

  describe('what a client asks for', () => {
    test('an unknown client or another address than its own is told to the user, never to that address (V3.7.2)', async () => {
      const browser = oauth.newBrowser()
      const wrong: Record<string, string | null>[] = [
        { client_id: 'assayc_unknown' },
        { client_id: null },
        { redirect_uri: 'https://evil.example/callback' },
        { redirect_uri: `${REDIRECT}/` },
        { redirect_uri: null },
        { redirect_uri: 'javascript:alert(1)' },
      ]
      for (const more of wrong) {
        const page = await browser.open(oauth.asking(more).path)
        expect({ more, status: page.status, location: page.location }).toEqual({ more, status: 400, location: null })
        expect(page.headers.get('content-type')).toContain('text/html')
      }
      const twice = await browser.open(`${oauth.asking().path}&client_id=other`)
      expect(twice.status).toBe(400)
    })

    test('everything else that is wrong goes back to the client, with its state and our name (V10.4.4)', async () => {
      const browser = oauth.newBrowser()
      const back = 'http://127.0.0.1:49152/cb'
      const error = async (more: Record<string, string | null>, suffix = '') => {
        const { location, status } = await browser.open(oauth.asking({ redirect_uri: back, ...more }).path + suffix)
        expect(status).toBe(303)
        expect(location!.origin + location!.pathname).toBe(back)
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

    test('nobody is sent to a site before logging in: a wrong request leads there by a link that says where to', async () => {
      const browser = oauth.newBrowser()
      const wrongs: Record<string, string | null>[] = [
        { response_type: 'token' },
        { scope: 'nothing' },
        { code_challenge: null },
      ]
      for (const wrong of wrongs) {
        const page = await browser.open(oauth.asking(wrong).path)
        expect([page.status, page.location]).toEqual([400, null])
        const [, href, text] = /<a href="([^"]+)">([^<]+)<\/a>/.exec(page.text)!
        const to = new URL(href!.replaceAll('&amp;', '&'))
        expect([to.origin + to.pathname, text]).toEqual([REDIRECT, 'Back to app.example'])
        expect(to.searchParams.get('error')).toBeString()
        expect([to.searchParams.get('state'), to.searchParams.get('iss')]).toEqual(['some state&', BASE])
      }
    })

    test('a loopback address is good on any port', async () => {
      const page = await oauth.newBrowser().open(oauth.asking({ redirect_uri: 'http://127.0.0.1:49152/cb' }).path)
      expect(page.status).toBe(200)
      expect(page.headers.get('content-security-policy')).toContain("form-action 'self' http://127.0.0.1:49152;")
    })

    test('scopes that no agent may have are left out of the question (V10.4.11)', async () => {
      const { email } = await oauth.person('operator')
      const consent = await oauth.signIn(
        oauth.newBrowser(),
        oauth.asking({ scope: 'market:read users:write keys:write ops:write' }).path,
        email,
      )
      expect(consent.fields.filter(([name]) => name === 'scope')).toEqual([['scope', 'market:read']])
    })
  })

  describe('pages', () => {
    test('run no script, load nothing, are not framed and not kept', async () => {
      const browser = oauth.newBrowser()
      const page = await browser.open(oauth.asking().path)
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
      const { body } = await oauth.register({
        redirect_uris: [REDIRECT],
        client_name: `<img src=x onerror="alert('1')">`,
      })
      const page = await oauth.newBrowser().open(oauth.asking({ client_id: body.client_id }).path)
      expect(page.text).toContain('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;')
      expect(page.text).not.toContain('<img')
    })

    test('a wrong password shows the form again, with the e-mail and without a password, and gives nothing', async () => {
      const { email } = await oauth.person()
      const page = await oauth.signIn(oauth.newBrowser(), oauth.asking().path, email, 'wrong password')
      expect(page.status).toBe(403)
      expect(page.text).toContain('role="alert"')
      expect(page.text).toContain(`value="${email}"`)
      expect(page.text).not.toContain('wrong password')
      expect(page.location).toBeNull()
    })

    test('nothing, too much, or a parameter twice is no login', async () => {
      const { email } = await oauth.person()
      const browser = oauth.newBrowser()
      const page = await browser.open(oauth.asking().path)
      const submit = (fields: Record<string, string>) => browser.submit(page, '/oauth/login', fields)
      expect((await submit({ email })).status).toBe(403)
      expect((await submit({ password: PASSWORD })).status).toBe(403)
      expect((await submit({ email, password: 'x'.repeat(129) })).status).toBe(403)
      expect((await submit({ email: `${'x'.repeat(250)}@x.example`, password: PASSWORD })).status).toBe(403)
      expect((await submit({ email, password: `${PASSWORD}\u0000` })).status).toBe(400)
      const twice: [string, string][] = [...page.fields, ['email', email], ['email', email], ['password', PASSWORD]]
      expect((await browser.post('/oauth/login', twice)).status).toBe(400)
      expect((await submit({ email, password: PASSWORD })).status).toBe(200)
    })

    test('the limits of logins hold here', async () => {
      const { email } = await oauth.person()
      const browser = oauth.newBrowser()
      const page = await browser.open(oauth.asking().path)
      const attempt = (password: string) => browser.submit(page, '/oauth/login', { email, password })
      for (let i = 0; i < 5; i++) expect((await attempt('wrong password')).status).toBe(403)
      const refused = await attempt(PASSWORD)
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    })

    test('a form of another browser, of no page, changed, or too old opens nothing (V3.5.1)', async () => {
      const { email } = await oauth.person()
      const browser = oauth.newBrowser()
      const page = await browser.open(oauth.asking().path)
      const other = oauth.newBrowser()
      await other.open(oauth.asking().path)
      const fields: [string, string][] = [...page.fields, ['email', email], ['password', PASSWORD]]
      expect((await other.post('/oauth/login', fields)).status).toBe(400)
      expect((await oauth.newBrowser().post('/oauth/login', fields)).status).toBe(400)
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
      const { email } = await oauth.person()
      const browser = oauth.newBrowser()
      const consent = await oauth.signIn(browser, oauth.asking().path, email)
      const other = oauth.newBrowser()
      await other.open(oauth.asking().path)
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

  describe('a second factor', () => {
    test('is asked for on the page, and the grant keeps how its user was recognised', async () => {
      const person = await newPerson(world)
      const { code } = await withFactor(world, person)
      world.time.now += 24 * 3_600_000
      const { path, verifier } = oauth.asking()
      const browser = oauth.newBrowser()
      const without = await oauth.signIn(browser, path, person.email)
      expect(without.status).toBe(403)
      expect(without.text).toContain('with it the code of your authenticator, or a recovery code.')
      expect(
        (await browser.submit(without, '/oauth/login', { email: person.email, password: PASSWORD, totp: '000000' }))
          .status,
      ).toBe(403)
      const consent = await browser.submit(without, '/oauth/login', {
        email: person.email,
        password: PASSWORD,
        totp: code().replace(/(...)/, '$1 '),
      })
      expect(consent.status).toBe(200)
      const back = await browser.submit(consent, '/oauth/consent', { decision: 'allow' })
      expect((await oauth.exchange({ code: back.location!.searchParams.get('code')!, verifier })).status).toBe(200)
      await person.login({ totp: code() })
      const { items } = (await person.ask('GET', '/api/auth/sessions')).body
      expect(items.find(({ kind }: { kind: string }) => kind === 'oauth').amr).toEqual(['pwd', 'otp'])
    })

    test('is needed by operators where the platform wants it: without it there is nothing to allow but their profile', async () => {
      const strict = await openOAuth(await openDatabase(), { ASSAY_REQUIRE_MFA: 'true' })
      try {
        const { email } = await strict.person('operator')
        const { location } = await strict.signIn(
          strict.newBrowser(),
          strict.asking({ scope: 'orders:write' }).path,
          email,
        )
        expect(location!.searchParams.get('error')).toBe('access_denied')
        const consent = await strict.signIn(
          strict.newBrowser(),
          strict.asking({ scope: 'orders:write account:read' }).path,
          email,
        )
        expect(consent.fields.filter(([name]) => name === 'scope')).toEqual([['scope', 'account:read']])
      } finally {
        await strict.world.database.drop()
      }
    }, 60_000)
  })

  describe('consent', () => {
    test('is seen in the list of sessions with client and scopes, and ends when that session is ended', async () => {
      const person = await newPerson(world)
      const { body } = await oauth.exchange(await oauth.authorize(person.email))
      const { items } = (await person.ask('GET', '/api/auth/sessions')).body
      expect(items[0]).toMatchObject({
        kind: 'oauth',
        client: { id: clientId, name: 'Robot' },
        scopes: ['market:read', 'trading:read', 'orders:write'],
        current: false,
      })
      expect((await person.ask('DELETE', `/api/auth/sessions/${items[0].id}`)).status).toBe(200)
      expect((await oauth.check(body.access_token)).status).toBe(401)
      expect((await oauth.authorize(person.email)).asked).toBe(true)
    })

    test('that no client has traded its code of is good for nothing', async () => {
      const person = await newPerson(world)
      await oauth.signIn(oauth.newBrowser(), oauth.asking().path, person.email)
      const { items } = (await person.ask('GET', '/api/auth/sessions')).body
      expect(items[0]).toMatchObject({ kind: 'oauth', client: null, scopes: [] })
    })

    test('the code comes back with state and issuer; the token is for this user, client and resource, with these scopes', async () => {
      const { email, id } = await oauth.person()
      const { location, code, verifier } = await oauth.authorize(email)
      expect(location.searchParams.get('state')).toBe('some state&')
      expect(location.searchParams.get('iss')).toBe(BASE)
      const { status, body, headers } = await oauth.exchange({ code, verifier })
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
      const known = await oauth.check(body.access_token)
      expect(known.status).toBe(200)
      expect(known.body.scopes).toEqual(['market:read', 'trading:read', 'orders:write'])
      expect((await world.ask('GET', '/api/api-keys', { token: body.access_token })).status).toBe(403)
    })

    test('a user gives less than was asked for by unticking it', async () => {
      const { email } = await oauth.person()
      const { verifier, path } = oauth.asking()
      const browser = oauth.newBrowser()
      const consent = await oauth.signIn(browser, path, email)
      const kept = consent.fields.filter(([, value]) => value !== 'orders:write')
      const back = await browser.post('/oauth/consent', [...kept, ['scope', 'users:write'], ['decision', 'allow']])
      const { body } = await oauth.exchange({ code: back.location!.searchParams.get('code')!, verifier })
      expect(body.scope).toBe('market:read trading:read')
    })

    test('not allowed, or allowed nothing, the client hears access_denied and the login is gone', async () => {
      for (const decision of ['deny', 'allow']) {
        const { email, id } = await oauth.person()
        const browser = oauth.newBrowser()
        const consent = await oauth.signIn(browser, oauth.asking().path, email)
        const ticket = consent.fields.filter(([name]) => name === 'ticket')
        const back = await browser.post('/oauth/consent', [...ticket, ['decision', decision]])
        expect(back.location!.searchParams.get('error')).toBe('access_denied')
        expect(back.location!.searchParams.get('code')).toBeNull()
        const sessions = await world.database.db.as('gateway').query('select 1 from sessions where user_id = $1', [id])
        expect(sessions).toEqual([])
      }
    })

    test('what the same client may do already is not asked again; more of it is, and so is all once the session ended', async () => {
      const { email } = await oauth.person()
      const first = await oauth.authorize(email)
      const { body } = await oauth.exchange(first)
      expect(first.asked).toBe(true)
      expect((await oauth.authorize(email, { scope: 'market:read' })).asked).toBe(false)
      expect((await oauth.authorize(email, { scope: 'market:read trading:write' })).asked).toBe(true)
      expect((await oauth.authorize(email, { resource: `${BASE}/mcp` })).asked).toBe(true)
      await oauth.form('/oauth/revoke', { client_id: clientId, token: body.refresh_token })
      expect((await oauth.authorize(email)).asked).toBe(true)
    })

    test('a program of the own machine is asked about every time (V10.7.1)', async () => {
      const { email } = await oauth.person()
      const redirect_uri = 'http://127.0.0.1:5000/cb'
      await oauth.exchange(await oauth.authorize(email, { redirect_uri }), { redirect_uri })
      expect((await oauth.authorize(email, { redirect_uri })).asked).toBe(true)
    })

    test('a token for another resource is not one for the API (V9.2.4)', async () => {
      const { access_token } = await oauth.granted({ resource: `${BASE}/mcp/` })
      expect(claimsOf(access_token).aud).toEqual([`${BASE}/mcp`])
      expect((await oauth.check(access_token)).status).toBe(401)
    })
  })
})
