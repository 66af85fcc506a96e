import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { type Server, serve } from 'bun'
import type { World } from '../../testing/world.ts'
import { BASE, type OAuthWorld, openOAuth, REDIRECT } from '../testing/oauth-world.ts'

describeAdapters('OAuth: discovery and registration', databases, (openDatabase) => {
  let oauth: OAuthWorld
  let world: World
  beforeAll(async () => {
    oauth = await openOAuth(await openDatabase())
    world = oauth.world
  }, 60_000)
  afterAll(() => world.database.drop())

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
      const { status, body, headers } = await oauth.register({
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
        const answer = await oauth.register(body)
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
      const address = oauth.newAddress()
      for (let i = 0; i < 20; i++)
        expect((await oauth.register({ redirect_uris: [REDIRECT] }, address)).status).toBe(201)
      const refused = await oauth.register({ redirect_uris: [REDIRECT] }, address)
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    })
  })

  describe('a metadata document', () => {
    let documents: Server<undefined>
    let reads = 0
    let redirects = [REDIRECT]
    beforeAll(() => {
      documents = serve({
        hostname: '127.0.0.1',
        port: 0,
        fetch({ url }) {
          reads++
          const document = { client_id: url, client_name: 'By document', redirect_uris: redirects }
          return Response.json(document, { headers: { 'cache-control': 'max-age=60' } })
        },
      })
    })
    afterAll(() => documents.stop(true))
    const open = async (path: string, browser = oauth.newBrowser()) =>
      (await browser.open(oauth.asking({ client_id: `http://127.0.0.1:${documents.port}${path}` }).path)).status

    test('is read once while it is fresh, five minutes at least, and then again: what it says then counts', async () => {
      expect(await open('/client.json')).toBe(200)
      world.time.now += 4 * 60_000
      expect(await open('/client.json')).toBe(200)
      expect(reads).toBe(1)
      redirects = ['https://moved.example/callback']
      world.time.now += 60_000
      expect(await open('/client.json')).toBe(400)
      expect(reads).toBe(2)
      redirects = [REDIRECT]
    })

    test('is not fetched for one network more than 20 times in ten minutes', async () => {
      const browser = oauth.newBrowser()
      for (let i = 0; i < 20; i++) expect(await open(`/client-${i}.json`, browser)).toBe(200)
      const before = reads
      expect(await open('/one-more.json', browser)).toBe(429)
      expect(reads).toBe(before)
      expect(await open('/client-0.json', browser)).toBe(200)
      expect(await open('/one-more.json')).toBe(200)
    })

    test('must be at a URL with a path that is written as it is read', async () => {
      for (const path of ['', '/', '/a/../client.json', '/client.json#x']) expect(await open(path)).toBe(400)
    })
  })
})
