import type { TestDatabase } from '@assay/core/testing/database'
import { openWorld, UNLIMITED } from '../../testing/world.ts'
import { newPkce, openBrowser, type TestBrowser } from './browser.ts'

export const BASE = 'http://localhost'
export const PASSWORD = 'correct horse battery'
export const REDIRECT = 'https://app.example/callback'

/** The gateway with a registered client, and the steps of people and clients through it. */
export async function openOAuth(database: TestDatabase, env: Record<string, string> = {}) {
  const world = await openWorld({ ...UNLIMITED, ...env }, database)
  let people = 0
  let addresses = 0
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
    if (page.status !== 200) throw new Error(`the login page answers ${page.status}`)
    return browser.submit(page, '/oauth/login', { email, password })
  }
  /** The whole way to a code. */
  async function authorize(email: string, more: Record<string, string | null> = {}) {
    const { verifier, path } = asking(more)
    const browser = newBrowser()
    const consent = await signIn(browser, path, email)
    const back = consent.location ? consent : await browser.submit(consent, '/oauth/consent', { decision: 'allow' })
    if (!back.location) throw new Error(`the consent answers ${back.status}`)
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
    if (body.token_type !== 'Bearer') throw new Error(JSON.stringify(body))
    return {
      email,
      id,
      ...(body as { access_token: string; refresh_token: string; scope: string; expires_in: number }),
    }
  }
  const audited = async (action: string) =>
    (await world.events('audit.recorded')).filter((event) => event.action === action)

  const clientId = (await register({ client_name: 'Robot', redirect_uris: [REDIRECT, 'http://127.0.0.1/cb'] })).body
    .client_id as string
  return {
    world,
    clientId,
    newAddress,
    register,
    person,
    form,
    newBrowser,
    asking,
    signIn,
    authorize,
    exchange,
    refresh,
    check,
    granted,
    audited,
  }
}
export type OAuthWorld = Awaited<ReturnType<typeof openOAuth>>
