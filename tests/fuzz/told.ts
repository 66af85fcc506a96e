import { until } from '@assay/core/testing/until'
import { newPkce, openBrowser, type TestBrowser } from '@assay/services/gateway/oauth/testing/browser'
import { codeNow } from '../access/code-now.ts'
import { type Login, type Person, register } from '../access/people.ts'
import type { Asked } from '../access/requests.ts'
import { OPERATOR, type World } from '../access/world.ts'
import { lettersTo } from '../e2e/letters.ts'

const REDIRECT = 'https://fuzz.example/callback'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const PASSWORD = 'quite a new long phrase'

/** Requests that are right only with what a letter, an authenticator app or a page has told: each of somebody new. */
export function toldRequests(world: World): Readonly<Record<string, () => Promise<Asked>>> {
  let last = 0
  const newcomer = (): Promise<Person> => {
    const name = `told-${++last}-${crypto.randomUUID().slice(0, 8)}`
    const login = { email: `${name}@acme.example`, password: `${name} is long enough` }
    return register(world, { name, role: 'trader', tenant: 'default', ...login })
  }
  /** The token of the newest letter to this address that speaks of this route. */
  async function tokenFor(email: string, route: string): Promise<string> {
    let token: string | undefined
    await until(`a letter to ${email}`, () => {
      const letter = lettersTo(world.deps.home, email).findLast((text) => text.includes(route))
      token = letter?.match(/^[\w-]{20,}$/m)?.[0]
      return token !== undefined
    })
    return token!
  }
  async function factor(): Promise<{ person: Person; secret: string }> {
    const person = await newcomer()
    const { secret } = await world.take<{ secret: string }>('POST', '/api/auth/totp/enable', {
      credential: person.token,
      body: { password: person.password },
    })
    return { person, secret }
  }
  async function asking() {
    const { verifier, challenge } = newPkce()
    const client = { client_name: 'Fuzz', redirect_uris: [REDIRECT] }
    const { client_id } = await world.take<{ client_id: string }>('POST', '/oauth/register', { body: client })
    const query = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri: REDIRECT,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      scope: 'market:read',
      state: 's',
    })
    const browser = openBrowser((request) => fetch(request), world.url)
    return { verifier, client_id, browser, page: await browser.open(`/oauth/authorize?${query}`) }
  }
  const formOf = (browser: TestBrowser, fields: [string, string][]): Asked => ({
    headers: { ...FORM, cookie: [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ') },
    body: new URLSearchParams(fields).toString(),
  })

  return {
    'POST /api/auth/password/reset': async () => {
      const { email } = await newcomer()
      await world.take('POST', '/api/auth/password/forgot', { body: { email } })
      return { body: { token: await tokenFor(email, '/api/auth/password/reset'), password: PASSWORD } }
    },
    'POST /api/auth/email/verify': async () => {
      const { email } = await newcomer()
      return { body: { token: await tokenFor(email, '/api/auth/email/verify') } }
    },
    'POST /api/invitations/{id}/accept': async () => {
      const email = `invited-${++last}-${crypto.randomUUID().slice(0, 8)}@acme.example`
      const { id } = await world.take<{ id: string }>('POST', '/api/invitations', {
        credential: (await world.take<Login>('POST', '/api/auth/login', { body: OPERATOR })).token,
        body: { email },
      })
      return {
        params: { id },
        body: { token: await tokenFor(email, `/api/invitations/${id}/accept`), password: PASSWORD },
      }
    },
    'POST /api/auth/totp/verify': async () => {
      const { person, secret } = await factor()
      return { credential: person.token, body: { code: codeNow(secret) } }
    },
    'POST /api/auth/totp/disable': async () => {
      const { person, secret } = await factor()
      const { recovery_codes } = await world.take<{ recovery_codes: string[] }>('POST', '/api/auth/totp/verify', {
        credential: person.token,
        body: { code: codeNow(secret) },
      })
      return { credential: person.token, body: { password: person.password, code: recovery_codes[0] } }
    },
    'POST /oauth/login': async () => {
      const [{ email, password }, { browser, page }] = [await newcomer(), await asking()]
      return formOf(browser, [...page.fields, ['email', email], ['password', password]])
    },
    'POST /oauth/consent': async () => {
      const [{ email, password }, { browser, page }] = [await newcomer(), await asking()]
      const consent = await browser.submit(page, '/oauth/login', { email, password })
      return formOf(browser, [...consent.fields, ['decision', 'allow']])
    },
    'POST /oauth/token': async () => {
      const [{ email, password }, { browser, page, verifier, client_id }] = [await newcomer(), await asking()]
      const consent = await browser.submit(page, '/oauth/login', { email, password })
      const { location } = await browser.submit(consent, '/oauth/consent', { decision: 'allow' })
      const code = location?.searchParams.get('code') ?? ''
      const grant = {
        grant_type: 'authorization_code',
        client_id,
        redirect_uri: REDIRECT,
        code,
        code_verifier: verifier,
      }
      return { headers: FORM, body: new URLSearchParams(grant).toString() }
    },
  }
}
