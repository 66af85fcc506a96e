import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { type LocalCa, makeLocalCa, writeCredentials } from '@assay/core/kernel/local-ca'
import { type Started, startPlatform } from '@assay/core/kernel/run'
import type { Service } from '@assay/core/kernel/service'
import { until } from '@assay/core/testing/until'
import { newPkce, openBrowser } from '@assay/services/gateway/oauth/testing/browser'
import { gateway } from '@assay/services/gateway/service'
import { marketData } from '@assay/services/market-data/service'
import { websocket } from '@assay/services/websocket/service'
import { connect } from '@assay/services/websocket/testing/client'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { freePortTable } from '../../scripts/stack/ports.ts'

/** Services with data folders of their own that reach each other over mutual TLS only. */
const folder = mkdtempSync(join(tmpdir(), 'assay-split-'))
const base = await freePortTable()
const password = 'a long password of ann'
const running = new Map<string, Started>()
let ca: LocalCa
let url: string
let token: string

/** Stands for trading: says who asked which replica, and does what the tests want. */
const tradingLike = (replica: number, asked: string[]): Service => ({
  name: 'trading',
  config: z.object({}),
  create: () => ({
    app: new Elysia({ name: 'trading' })
      .use(withCtx)
      .get('/api/tiers', ({ ctx, request }) => ({ replica, address: ctx.address, id: ctx.requestId, url: request.url }))
      .get('/api/purchases', ({ ctx }) => requireActor(ctx))
      .post('/api/purchases', ({ body, headers }) => ({ body, forged: headers['x-assay-service'] === 'forged' }))
      .get('/internal/secret', () => 'for services')
      // an order that no answer comes to
      .post('/api/assessments/:id/orders', () => new Promise(() => {}))
      .get('/api/assessments/:id/journal', ({ headers }) => headers)
      .get(
        '/api/assessments/:id/equity',
        () =>
          new Response(
            new ReadableStream({ start: (events) => events.enqueue(new TextEncoder().encode('data: 1\n\n')) }),
            {
              headers: { 'content-type': 'text/event-stream' },
            },
          ),
      )
      .get(
        '/api/assessments/:id/proof',
        () =>
          new Response(
            new ReadableStream({
              async start(controller) {
                for (const part of ['first ', 'second']) {
                  controller.enqueue(new TextEncoder().encode(part))
                  await Bun.sleep(20)
                }
                controller.close()
              },
            }),
            { headers: { 'content-type': 'application/zip', etag: '"1"' } },
          ),
      )
      // never answers: its process is stopped meanwhile
      .all('/api/assessments', async ({ request }) => {
        asked.push(`${replica} ${request.method}`)
        await running.get(`trading-${replica}`)?.platform.app.server?.stop(true)
        await new Promise(() => {})
      }),
  }),
})
const lostAt: string[] = []

async function start(service: Service, k = 0, port?: number): Promise<Started> {
  const instance = `${service.name}-${k}`
  const home = join(folder, instance)
  const files = writeCredentials(join(folder, 'tls'), instance, await ca.issue(service.name, 3_600_000))
  const own = base + { gateway: 50, 'market-data': 1, trading: 3, websocket: 5 }[service.name]! + 100 * k
  const started = await startPlatform({
    services: [service],
    port,
    env: {
      ASSAY_HOME: home,
      LOG_LEVEL: 'silent',
      FEEDS: 'sim?speed=20x',
      ASSAY_PEERS: 'https://127.0.0.1:{port}',
      ASSAY_BASE_PORT: String(base),
      ASSAY_REPLICAS: 'trading=2',
      ASSAY_INSTANCE: instance,
      ASSAY_PEER_URL: `https://127.0.0.1:${own}`,
      RATE_LIMIT_PER_MINUTE: '10000',
      RATE_LIMIT_PER_HOUR: '10000',
      RATE_LIMIT_PER_DAY: '10000',
      ...files,
    },
  })
  running.set(instance, started)
  return started
}

beforeAll(async () => {
  ca = await makeLocalCa()
  url = (await start(gateway, 0, base)).url
  await Promise.all([
    start(marketData),
    start(tradingLike(0, lostAt)),
    start(tradingLike(1, lostAt), 1),
    start(websocket),
  ])
  await until('all are ready', async () => (await health()).degraded.length === 0, 60_000)
  const who = { email: 'ann@traders.example', password }
  await post('/api/auth/register', who)
  token = (await (await post('/api/auth/login', who)).json()).token
}, 120_000)
afterAll(async () => {
  await Promise.all([...running.values()].map((one) => one.close()))
  rmSync(folder, { recursive: true, force: true })
}, 30_000)

const json = { 'content-type': 'application/json' }
const post = (path: string, body: object, headers = {}) =>
  fetch(url + path, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) })
const get = (path: string, headers = {}) => fetch(url + path, { headers })
const health = async () => (await (await get('/health')).json()) as { degraded: string[]; stores: object }

describe('the gateway alone', () => {
  test('sends each path to its service, the replicas in turn, and says for whom it asks', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(async () => (await get('/api/tiers?x=1')).json()))
    expect(new Set(answers.map(({ replica }) => replica))).toEqual(new Set([0, 1]))
    const answer = await get('/api/tiers', { 'x-request-id': 'request-of-ann' })
    expect(await answer.json()).toMatchObject({ id: 'request-of-ann', address: '127.0.0.1' })
    expect(answer.headers.get('x-request-id')).toBe('request-of-ann')
    expect((await get('/api/market/symbols')).status).toBe(200)
  })
  test('gives a body on, refuses one that is too long, and lets nobody speak for a service', async () => {
    const headers = { 'x-assay-service': 'forged', 'x-forwarded-for': '10.0.0.1' }
    expect(await (await post('/api/purchases', { tier: 'x' }, headers)).json()).toEqual({
      body: { tier: 'x' },
      forged: false,
    })
    expect((await post('/api/purchases', { tier: 'x'.repeat(2 ** 20) })).status).toBe(413)
  })
  test('passes a stream on with its headers', async () => {
    const answer = await get('/api/assessments/1/proof')
    expect(answer.headers.get('content-type')).toBe('application/zip')
    expect(answer.headers.get('etag')).toBe('"1"')
    expect(await answer.text()).toBe('first second')
  })
  test('knows what no service has, and its own wrong methods', async () => {
    expect((await get('/api/nowhere')).status).toBe(404)
    const wrong = await fetch(`${url}/api/auth/login`, { method: 'PUT' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
    expect((await fetch(`${url}/api/tiers`, { method: 'PUT' })).status).toBe(405)
  })
  test('has no way to what is for services only', async () => {
    for (const path of ['/internal/identity', '/internal/secret', '/internal/channels'])
      expect((await get(path)).status).toBe(404)
  })
  test('tells the health of all, and documents everything', async () => {
    expect(await health()).toMatchObject({ degraded: [], stores: { market_log: { group: 'main' } } })
    const { paths } = (await (await get('/openapi.json')).json()) as { paths: object }
    expect(Object.keys(paths)).toContain('/api/assessments/{id}/orders')
  })
})

describe('what the gateway adds', () => {
  test('who asks, as the service may log it: tenant, trace, deadline; the token is checked by the service itself', async () => {
    const headers = { authorization: `Bearer ${token}`, 'x-assay-tenant': 'forged', 'x-deadline-ms': '700' }
    const got = (await (await get('/api/assessments/1/journal', headers)).json()) as Record<string, string>
    expect(got['x-assay-tenant']).toBe('default')
    expect(got.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/)
    expect(Number(got['x-deadline-ms'])).toBeLessThanOrEqual(700)
    expect(got.authorization).toBe(`Bearer ${token}`)
  })
  test('the name of an order whose answer did not come in time', async () => {
    const order = { symbol: 'BTC/USD', client_order_id: 'mine-1' }
    const answer = await post('/api/assessments/1/orders', order, { 'x-deadline-ms': '400' })
    expect([answer.status, (await answer.json()).order]).toEqual([504, 'client:mine-1'])
  })
  test('server-sent events as they come', async () => {
    const reader = (await get('/api/assessments/1/equity')).body!.getReader()
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('data: 1\n\n')
    await reader.cancel()
  })
  test('the state of every circuit', async () => {
    const { breakers } = (await (await get('/health')).json()) as { breakers: object }
    const all = ['market-data', 'trading-0', 'trading-1', 'websocket']
    expect(breakers).toEqual(Object.fromEntries(all.map((name) => [name, 'closed'])))
  })
  test('a port for its peers, which answers no plain caller and none without a certificate of the CA; one that proves no name is an outsider', async () => {
    const peers = `https://127.0.0.1:${base + 50}`
    const own = await ca.issue('trading', 3_600_000)
    const tls = { ...own, serverName: 'gateway.assay.internal' }
    const outcome = (asked: Promise<Response>) =>
      asked.then(
        ({ status }) => status,
        () => 'refused',
      )
    expect(await outcome(fetch(`${peers.replace('https', 'http')}/internal/identity`))).toBe('refused')
    expect(
      await outcome(fetch(`${peers}/internal/identity`, { tls: { ca: own.ca, serverName: tls.serverName } })),
    ).toBe('refused')
    const foreign = await (await makeLocalCa()).issue('trading', 3_600_000)
    expect(
      await outcome(
        fetch(`${peers}/internal/identity`, { tls: { ...foreign, ca: own.ca, serverName: tls.serverName } }),
      ),
    ).toBe('refused')
    expect(await outcome(fetch(`${peers}/internal/identity`, { tls }))).toBe(404)
  })
})

describe('a service without the gateway', () => {
  test('verifies access tokens by the published keys, API keys by asking, and refuses anything else', async () => {
    const bearer = { authorization: `Bearer ${token}` }
    const me = await (await get('/api/purchases', bearer)).json()
    expect(me).toMatchObject({ role: 'trader', tenant: 'default' })
    const { key } = await (await post('/api/api-keys', { name: 'bot' }, bearer)).json()
    expect(await (await get('/api/purchases', { 'x-api-key': key })).json()).toMatchObject({ userId: me.userId })
    for (const refused of [`${token}x`, 'assay_nonsense', 'nonsense'])
      expect((await get('/api/purchases', { authorization: `Bearer ${refused}` })).status).toBe(401)
  })
  test('refuses a token whose session has ended before it saw it', async () => {
    const login = await (await post('/api/auth/login', { email: 'ann@traders.example', password })).json()
    const bearer = { authorization: `Bearer ${login.token}` }
    await post('/api/auth/logout', {}, bearer)
    expect((await get('/api/purchases', bearer)).status).toBe(401)
  })
  test('answers on its own port with and without the prefix, to holders of a certificate only', async () => {
    const tls = { ...(await ca.issue('gateway', 3_600_000)), serverName: 'market-data.assay.internal' }
    const own = `https://127.0.0.1:${base + 1}`
    for (const path of ['/market/symbols', '/api/market/symbols', '/health', '/ready', '/docs', '/openapi.json'])
      expect([path, (await fetch(own + path, { tls })).status]).toEqual([path, 200])
    expect(await fetch(`${own}/health`, { tls: { ca: tls.ca } }).catch(({ name }) => name)).not.toBeInstanceOf(Response)
    expect((await get('/market/symbols')).status).toBe(404)
  })
})

describe('live push through the gateway', () => {
  const socket = () => `${url.replace('http', 'ws')}/ws`
  test('follows a channel of a service that is elsewhere, in order', async () => {
    const client = await connect(socket(), { protocols: ['bearer', token] })
    client.send({ op: 'subscribe', id: 1, channels: ['ticks:BTC-USD'] })
    expect(await client.next(({ type }) => type === 'ack')).toMatchObject({ channel: 'ticks:BTC/USD' })
    const seen = () => client.messages.filter(({ type }) => type === 'event').map(({ seq }) => seq!)
    await until('five events', () => seen().length >= 5)
    expect(seen()).toEqual(seen().toSorted((a, b) => a - b))
    client.send({ op: 'subscribe', id: 2, channels: ['ticks:nothing'] })
    expect(await client.next(({ type }) => type === 'error')).toMatchObject({ data: { code: 'not_found' } })
    client.socket.close()
  })
  test('lets the pages of the platform itself connect, as one process does, and no other', async () => {
    const from = (origin: string) =>
      connect(socket(), { protocols: ['bearer', token], headers: { origin } }).then(
        ({ socket }) => {
          socket.close()
          return 'open'
        },
        () => 'refused',
      )
    expect([await from(url), await from('https://evil.example')]).toEqual(['open', 'refused'])
  })
  test('refuses a handshake with the answer of the service', async () => {
    const headers = { upgrade: 'websocket', connection: 'upgrade', 'sec-websocket-version': '13' }
    const answer = await get('/ws', { ...headers, 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' })
    expect([answer.status, (await answer.json()).code]).toEqual([401, 'unauthorized'])
  })
})

describe('a replica that is lost', () => {
  test('what may be asked twice is answered by another one; what may not is said to be unknown', async () => {
    const answer = await post('/api/assessments', {})
    const problem = await answer.json()
    expect([answer.status, problem.code]).toEqual([504, 'outcome_unknown'])
    expect(lostAt).toHaveLength(1)
    const lost = Number(lostAt[0]![0])
    for (let n = 0; n < 4; n++) expect((await (await get('/api/tiers')).json()).replica).toBe(1 - lost)
    await until('said', async () => (await health()).degraded.some((line) => line.startsWith(`trading-${lost} is`)))
  })
})

describe('OAuth', () => {
  test("a client's token is verified by the services themselves, and refused there once its grant is ended", async () => {
    const redirect = 'http://127.0.0.1/cb'
    const client = await (await post('/oauth/register', { client_name: 'Robot', redirect_uris: [redirect] })).json()
    const { verifier, challenge } = newPkce()
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: client.client_id,
      redirect_uri: redirect,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      scope: 'trading:read',
    })
    const browser = openBrowser(fetch, url)
    const login = await browser.open(`/oauth/authorize?${query}`)
    const consent = await browser.submit(login, '/oauth/login', { email: 'ann@traders.example', password })
    const back = await browser.submit(consent, '/oauth/consent', { decision: 'allow' })
    const code = back.location!.searchParams.get('code')!
    const form = (path: string, fields: Record<string, string>) =>
      fetch(url + path, {
        method: 'POST',
        body: new URLSearchParams({ client_id: client.client_id, redirect_uri: redirect, ...fields }),
      })
    const granted = await form('/oauth/token', { grant_type: 'authorization_code', code, code_verifier: verifier })
    const { access_token } = (await granted.json()) as { access_token: string }
    const authorization = `Bearer ${access_token}`
    expect(await (await get('/api/purchases', { authorization })).json()).toMatchObject({
      clientId: client.client_id,
      scopes: ['trading:read'],
    })
    expect((await form('/oauth/revoke', { token: access_token })).status).toBe(200)
    const refused = async () => (await get('/api/purchases', { authorization })).status === 401
    await until('the services refuse it', refused, 2_000)
  })
})
