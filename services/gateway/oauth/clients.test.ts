import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import * as oauth from 'oauth4webapi'
import { openWorld, UNLIMITED, type World } from '../testing/world.ts'
import { openBrowser } from './testing/browser.ts'
import { type Served, serveWorld } from './testing/served.ts'

const PASSWORD = 'correct horse battery'
const REDIRECT = 'http://127.0.0.1:49000/callback'
/** Plain HTTP: the server of this test is at a loopback address. */
const INSECURE = { [oauth.allowInsecureRequests]: true }

let world: World
let served: Served
let people = 0
beforeAll(async () => {
  world = await openWorld(UNLIMITED)
  served = serveWorld(world)
}, 60_000)
afterAll(async () => {
  await served.stop()
  await world.database.drop()
})

/** What the user does in a browser, over HTTP: log in, allow everything asked. Answers where the browser is sent. */
async function consent(url: URL): Promise<URL> {
  const email = `peer${people++}@assay.example`
  await world.createUser({ email, password: PASSWORD, role: 'trader' })
  const browser = openBrowser(fetch, served.base)
  const login = await browser.open(url.href.slice(served.base.length))
  expect(login.status).toBe(200)
  const page = await browser.submit(login, '/oauth/login', { email, password: PASSWORD })
  const back = await browser.submit(page, '/oauth/consent', { decision: 'allow' })
  expect(back.status).toBe(303)
  return back.location!
}

describe('the official MCP client', () => {
  /** What a client keeps between its runs. */
  function newProvider() {
    const kept: {
      client?: StoredOAuthClientInformation
      tokens?: StoredOAuthTokens
      verifier?: string
      sentTo?: URL
      discovery?: OAuthDiscoveryState
    } = {}
    const provider: OAuthClientProvider = {
      redirectUrl: REDIRECT,
      clientMetadata: { client_name: 'MCP client', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' },
      state: () => 'mcp-state',
      clientInformation: () => kept.client,
      saveClientInformation: (client) => void Object.assign(kept, { client }),
      tokens: () => kept.tokens,
      saveTokens: (tokens) => void Object.assign(kept, { tokens }),
      redirectToAuthorization: (sentTo) => void Object.assign(kept, { sentTo }),
      saveCodeVerifier: (verifier) => void Object.assign(kept, { verifier }),
      codeVerifier: () => kept.verifier!,
      saveDiscoveryState: (discovery) => void Object.assign(kept, { discovery }),
      discoveryState: () => kept.discovery,
      invalidateCredentials: () => void Object.assign(kept, { tokens: undefined }),
    }
    return { kept, provider }
  }
  const open = (provider: OAuthClientProvider) => {
    const transport = new StreamableHTTPClientTransport(new URL(`${served.base}/mcp`), { authProvider: provider })
    return { transport, client: new Client({ name: 'test', version: '1' }) }
  }

  test('finds the server from a 401, registers, sends its user, and calls with a token for that resource only', async () => {
    const { kept, provider } = newProvider()
    const first = open(provider)
    const refused = await first.client.connect(first.transport).then(
      () => null,
      (error: unknown) => error,
    )
    expect(refused).toBeInstanceOf(UnauthorizedError)
    expect(kept.sentTo!.searchParams.get('resource')).toBe(`${served.base}/mcp`)
    expect(kept.sentTo!.searchParams.get('code_challenge_method')).toBe('S256')
    const back = await consent(kept.sentTo!)
    expect(back.searchParams.get('state')).toBe('mcp-state')
    await first.transport.finishAuth(back.searchParams)
    const second = open(provider)
    await second.client.connect(second.transport)
    expect((await second.client.listTools()).tools.map(({ name }) => name)).toEqual(['account_show'])
    expect(served.seen()).toMatchObject({
      iss: served.base,
      aud: [`${served.base}/mcp`],
      client_id: kept.client!.client_id,
    })
    const api = { authorization: `Bearer ${kept.tokens!.access_token}` }
    expect((await fetch(`${served.base}/api/auth/check`, { headers: api })).status).toBe(401)
    await second.client.close()
  }, 30_000)

  test('refreshes by itself when its access token is refused, and asks its user again when the grant was ended', async () => {
    const { kept, provider } = newProvider()
    const first = open(provider)
    await first.client.connect(first.transport).catch(() => {})
    await first.transport.finishAuth((await consent(kept.sentTo!)).searchParams)
    const granted = kept.tokens!
    kept.tokens = { ...granted, access_token: 'refused' }
    const second = open(provider)
    await second.client.connect(second.transport)
    expect(kept.tokens.access_token).not.toBe('refused')
    expect(kept.tokens.refresh_token).not.toBe(granted.refresh_token)
    await second.client.close()

    const body = new URLSearchParams({ client_id: kept.client!.client_id, token: kept.tokens.refresh_token! })
    expect((await fetch(`${served.base}/oauth/revoke`, { method: 'POST', body })).status).toBe(200)
    kept.tokens = { ...kept.tokens, access_token: 'refused' }
    kept.sentTo = undefined
    const third = open(provider)
    const refused = await third.client.connect(third.transport).then(
      () => null,
      (error: unknown) => error,
    )
    expect(refused).toBeInstanceOf(UnauthorizedError)
    expect(kept.sentTo).toBeDefined()
  }, 30_000)
})

describe('oauth4webapi', () => {
  async function discover() {
    const issuer = new URL(served.base)
    const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE })
    return oauth.processDiscoveryResponse(issuer, answer)
  }
  async function register(as: oauth.AuthorizationServer): Promise<oauth.Client> {
    const metadata = { client_name: 'Independent', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' }
    const answer = await oauth.dynamicClientRegistrationRequest(as, metadata, INSECURE)
    return oauth.processDynamicClientRegistrationResponse(answer)
  }
  async function authorize(as: oauth.AuthorizationServer, client: oauth.Client, resource: string) {
    const verifier = oauth.generateRandomCodeVerifier()
    const state = oauth.generateRandomState()
    const url = new URL(as.authorization_endpoint!)
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: client.client_id,
      redirect_uri: REDIRECT,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      scope: 'market:read orders:write',
      state,
      resource,
    }).toString()
    const params = oauth.validateAuthResponse(as, client, await consent(url), state)
    const exchange = () =>
      oauth.authorizationCodeGrantRequest(as, client, oauth.None(), params, REDIRECT, verifier, {
        additionalParameters: { resource },
        ...INSECURE,
      })
    return { exchange, process: (answer: Response) => oauth.processAuthorizationCodeResponse(as, client, answer) }
  }
  const refresh = async (as: oauth.AuthorizationServer, client: oauth.Client, token: string) =>
    oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, INSECURE),
    )
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: { error?: string }) => error.error ?? String(error),
    )

  test('discovery, PKCE, an answer with issuer and state, a JWT access token, refresh, reuse and revocation', async () => {
    const resource = new URL(served.base)
    const described = await oauth.processResourceDiscoveryResponse(
      resource,
      await oauth.resourceDiscoveryRequest(resource, INSECURE),
    )
    expect(described.authorization_servers).toEqual([served.base])
    const as = await discover()
    const client = await register(as)
    const { exchange, process } = await authorize(as, client, described.resource)
    const tokens = await process(await exchange())
    expect(tokens.scope).toBe('market:read orders:write')

    const request = new Request(`${served.base}/x`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    const claims = await oauth.validateJwtAccessToken(as, request, described.resource, INSECURE)
    expect(claims).toMatchObject({ client_id: client.client_id, scope: 'market:read orders:write' })
    const used = await oauth.protectedResourceRequest(
      tokens.access_token,
      'GET',
      new URL(`${served.base}/api/auth/check`),
      undefined,
      null,
      INSECURE,
    )
    expect(used.status).toBe(200)

    const second = await refresh(as, client, tokens.refresh_token!)
    const third = await refresh(as, client, second.refresh_token!)
    // the first one again, after its successor was used: two hold it
    expect(await failure(refresh(as, client, tokens.refresh_token!))).toBe('invalid_grant')
    expect(await failure(refresh(as, client, third.refresh_token!))).toBe('invalid_grant')

    const again = await authorize(as, client, described.resource)
    const granted = await again.process(await again.exchange())
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, oauth.None(), granted.access_token, INSECURE),
    )
    expect(await failure(refresh(as, client, granted.refresh_token!))).toBe('invalid_grant')
  }, 30_000)

  test('a code that comes twice ends what it gave', async () => {
    const as = await discover()
    const client = await register(as)
    const { exchange, process } = await authorize(as, client, served.base)
    const tokens = await process(await exchange())
    expect(await failure(process(await exchange()))).toBe('invalid_grant')
    expect(await failure(refresh(as, client, tokens.refresh_token!))).toBe('invalid_grant')
  }, 30_000)

  test('a client that names itself by its metadata document needs no registration', async () => {
    const documents = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url }) =>
        Response.json({
          client_id: new URL(url).pathname === '/liar.json' ? 'https://other.example/client.json' : url,
          client_name: 'By document',
          redirect_uris: [REDIRECT],
          token_endpoint_auth_method: new URL(url).pathname === '/secret.json' ? 'client_secret_post' : 'none',
        }),
    })
    try {
      const as = await discover()
      expect(as.client_id_metadata_document_supported).toBe(true)
      const at = (path: string): oauth.Client => ({ client_id: `http://127.0.0.1:${documents.port}${path}` })
      const { exchange, process } = await authorize(as, at('/client.json'), served.base)
      const tokens = await process(await exchange())
      expect((await refresh(as, at('/client.json'), tokens.refresh_token!)).scope).toBe('market:read orders:write')
      const open = async (client: oauth.Client) => {
        const query = new URLSearchParams({
          response_type: 'code',
          client_id: client.client_id,
          redirect_uri: REDIRECT,
        })
        return (await fetch(`${as.authorization_endpoint}?${query}`, { redirect: 'manual' })).status
      }
      for (const path of ['/liar.json', '/secret.json', '/'])
        expect({ path, status: await open(at(path)) }).toEqual({ path, status: 400 })
    } finally {
      await documents.stop(true)
    }
  }, 30_000)
})
