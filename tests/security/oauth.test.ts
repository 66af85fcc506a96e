import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { browserCookie, browserOf } from '@assay/services/gateway/oauth/sealed-form'
import { newPkce, openBrowser } from '@assay/services/gateway/oauth/testing/browser'
import { openWorld, type World } from '@assay/services/gateway/testing/world'

const BASE = 'http://localhost'
const REDIRECT = 'https://app.example/callback'
const PASSWORD = 'an honest sentence 31'
const email = 'consents@x.example'

let world: World
let clientId: string
let token: string
beforeAll(async () => {
  const many = '1000000'
  world = await openWorld({ RATE_LIMIT_PER_MINUTE: many, RATE_LIMIT_PER_HOUR: many, RATE_LIMIT_PER_DAY: many })
  const registered = { client_name: 'Robot <b>', redirect_uris: [REDIRECT] }
  clientId = (await world.ask('POST', '/oauth/register', { body: registered })).body.client_id
  await world.createUser({ email, password: PASSWORD, role: 'trader' })
  token = (await world.ask('POST', '/api/auth/login', { body: { email, password: PASSWORD } })).body.token
}, 60_000)
afterAll(() => world.database.drop())

function asking() {
  const { verifier, challenge } = newPkce()
  const scope = 'market:read orders:write'
  const params = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    scope,
  }
  return { verifier, path: `/oauth/authorize?${new URLSearchParams(params)}` }
}
const newBrowser = () => openBrowser((request) => world.handle(request), BASE)
async function consented() {
  const { verifier, path } = asking()
  const browser = newBrowser()
  const login = await browser.open(path)
  const consent = await browser.submit(login, '/oauth/login', { email, password: PASSWORD })
  return { verifier, browser, login, consent }
}

describe('the login page', () => {
  test('masks the password, lets it be pasted and filled in by a password manager (V6.2.6, V6.2.7)', async () => {
    const { login } = await consented()
    const fields = [...login.text.matchAll(/<input [^>]*>/g)].map(([tag]) => tag)
    const password = fields.filter((tag) => tag.includes('name="password"'))
    expect(password).toHaveLength(1)
    expect(password[0]).toContain('type="password"')
    expect(password[0]).toContain('autocomplete="current-password"')
    expect(fields.find((tag) => tag.includes('name="email"'))).toContain('autocomplete="username"')
    expect(login.text).not.toMatch(/onpaste|<script|autocomplete="off"|readonly/)
  })
  test('has a cookie for https alone, of this host alone, for no script and no other site (V3.3.1, V3.3.2, V3.3.3, V3.3.4)', () => {
    const secret = 'a'.repeat(43)
    const cookie = browserCookie(secret, 'https://assay.example')
    expect(cookie).toBe(`__Host-assay-oauth=${secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure`)
    expect(browserOf(`__Host-assay-oauth=${secret}`, 'https://assay.example')).toBe(secret)
    expect(browserOf(`assay-oauth=${secret}`, 'https://assay.example')).toBeNull()
  })
})

describe('consent', () => {
  test('says who asks, how far that is known, what for and for how long (V10.4.7, V10.7.2)', async () => {
    const { consent } = await consented()
    expect(consent.text).toContain('Allow Robot &lt;b&gt;?')
    expect(consent.text).toContain('not verified: it registered itself')
    expect(consent.text).toContain('app.example')
    expect(consent.text).toContain(email)
    for (const scope of ['market:read', 'orders:write']) expect(consent.text).toContain(`<code>${scope}</code>`)
    expect(consent.text).toMatch(/ends after 12 hours at most/)
  })
  test('that was given is seen by its user, with client and scopes, and ended by its user (V10.4.9, V10.7.3)', async () => {
    const { verifier, browser, consent } = await consented()
    const back = await browser.submit(consent, '/oauth/consent', { decision: 'allow' })
    const fields = {
      grant_type: 'authorization_code',
      client_id: clientId,
      redirect_uri: REDIRECT,
      code: back.location!.searchParams.get('code')!,
      code_verifier: verifier,
    }
    const answer = await world.handle(
      new Request(`${BASE}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
    )
    const { access_token } = (await answer.json()) as { access_token: string }
    const check = async () => (await world.ask('GET', '/api/auth/check', { token: access_token })).status
    expect(await check()).toBe(200)
    const { items } = (await world.ask('GET', '/api/auth/sessions', { token })).body
    const grant = items.find(({ kind }: { kind: string }) => kind === 'oauth')
    expect(grant).toMatchObject({ scopes: ['market:read', 'orders:write'] })
    expect(JSON.stringify(grant.client)).toContain('Robot <b>')
    expect((await world.ask('DELETE', `/api/auth/sessions/${grant.id}`, { token })).status).toBe(200)
    expect(await check()).toBe(401)
  })
})
