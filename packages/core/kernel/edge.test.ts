import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import pino from 'pino'
import { Registry } from 'prom-client'
import { z } from 'zod'
import { AssayError } from '../contracts/errors.ts'
import { requireActor } from './auth.ts'
import type { Actor } from './context.ts'
import { edge, withCtx } from './edge.ts'
import { createRequestMetrics } from './metrics.ts'

const clock = { now: () => 1_000, monotonic: () => performance.now(), sleep: async () => {} }
const ada: Actor = { userId: 'ada', role: 'trader', tenant: 'default', scopes: [], plan: 'free' }
const lines: Record<string, unknown>[] = []
const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
const registry = new Registry()

const orders = () =>
  new Elysia({ name: 'orders' })
    .use(withCtx)
    .post('/api/assessments/:id/orders', ({ body }) => body, {
      parse: 'json',
      body: z.object({ quantity: z.string(), legs: z.array(z.object({ price: z.string() })).default([]) }),
    })
    .get('/bad-answer', () => ({ secret: 'pg password=hunter2' }) as never, {
      response: { 200: z.object({ n: z.number() }) },
    })
    .get('/crash', () => {
      throw new Error('pg password=hunter2')
    })
    .get('/busy', () => {
      throw new AssayError('engine_behind', 'Wait.', { retryAfterS: 2, cause: new Error('hidden') })
    })
const account = () =>
  new Elysia({ name: 'account' })
    .use(withCtx)
    .get('/open', ({ ctx }) => ({ id: ctx.requestId, user: ctx.actor?.userId ?? null, address: ctx.address }))
    .get('/mine', ({ ctx }) => ({ user: requireActor(ctx).userId }))

function makeApp(overrides: Partial<Parameters<typeof edge>[0]> = {}) {
  const app = new Elysia()
  return app
    .use(
      edge({
        log,
        clock,
        metrics: createRequestMetrics(new Registry()),
        tokens: {
          async verify(credential) {
            if (credential === 'store-down') throw new Error('no database')
            if (credential !== 'good') throw new AssayError('unauthorized', 'The token is not valid.')
            return ada
          },
        },
        corsOrigins: ['https://app.example'],
        routes: () => app.routes,
        ...overrides,
      }),
    )
    .use(orders())
    .use(account())
}
const app = makeApp()
type Init = { method?: string; body?: string; headers?: Record<string, string> }
async function ask(
  path: string,
  { method = 'GET', body, headers = {} }: Init = {},
  target: { handle: (request: Request) => Promise<Response> } = app,
) {
  const sent = body === undefined ? headers : { 'content-type': 'application/json', ...headers }
  const response = await target.handle(new Request(`http://localhost${path}`, { method, body, headers: sent }))
  const text = await response.text()
  return { response, status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : null }
}
const post = (body: string, headers = {}) => ask('/api/assessments/a1/orders', { method: 'POST', body, headers })

describe('errors leave as problem+json', () => {
  test('a field that is not valid is named, with all others (V2.2.1, V2.2.2)', async () => {
    const { status, json, response } = await post('{"quantity":1,"legs":[{"price":2}]}')
    expect(status).toBe(422)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(json).toMatchObject({
      type: 'urn:assay:error:validation_failed',
      code: 'validation_failed',
      status: 422,
      field: 'quantity',
      instance: '/api/assessments/a1/orders',
      request_id: response.headers.get('x-request-id'),
    })
    expect(json.errors.map((one: { field: string }) => one.field)).toEqual(['quantity', 'legs[0].price'])
  })
  test('each field that nobody knows is named, in the words that a verb has for it', async () => {
    const strict = makeApp().post('/strict', () => 'well', {
      parse: 'json',
      body: z.strictObject({ a: z.strictObject({}) }),
    })
    const { json } = await ask('/strict', { method: 'POST', body: '{"a":{"c.d":1},"b":1,"e":2}' }, strict)
    expect([json.field, json.errors]).toEqual([
      'a.c.d',
      ['a.c.d', 'b', 'e'].map((field) => ({ field, detail: 'is not a known field' })),
    ])
  })
  test('a hundred fields that are not valid are told, not as many as a body can hold', async () => {
    const legs = Array.from({ length: 1_000 }, () => '1').join()
    const unknown = Array.from({ length: 1_000 }, (_, n) => `"f${n}":1`).join()
    const strict = makeApp().post('/strict', () => 'well', { parse: 'json', body: z.strictObject({}) })
    const many = await post(`{"quantity":"1","legs":[${legs}]}`)
    const more = await ask('/strict', { method: 'POST', body: `{${unknown}}` }, strict)
    for (const { json } of [many, more]) expect(json.errors.length).toBeWithin(1, 101)
  })
  test('a body that is not JSON is 400, an unknown path 404, a wrong method 405 with Allow', async () => {
    expect(await post('{broken')).toMatchObject({ status: 400, json: { code: 'malformed_body' } })
    expect(await ask('/nowhere')).toMatchObject({ status: 404, json: { code: 'not_found', instance: '/nowhere' } })
    const wrong = await ask('/api/assessments/a1/orders', { method: 'DELETE' })
    expect(wrong).toMatchObject({ status: 405, json: { code: 'method_not_allowed' } })
    expect(wrong.response.headers.get('allow')).toBe('POST')
  })
  test('the character that no database text can hold is refused in path, query and body, and so is what nests without end', async () => {
    const refused = [
      await ask('/api/assessments/%00/orders', { method: 'POST', body: '{"quantity":"1"}' }),
      await ask('/api/assessments/a1/orders?symbol=%00', { method: 'POST', body: '{"quantity":"1"}' }),
      await post('{"quantity":"1","legs":[{"price":"1\\u0000"}]}'),
    ]
    expect(refused.map(({ status, json }) => [status, json?.field])).toEqual([
      [422, 'id'],
      [422, 'symbol'],
      [422, 'legs[0].price'],
    ])
    const deep = `{"quantity":"1","legs":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect(await post(deep)).toMatchObject({ status: 422, json: { code: 'validation_failed' } })
  })
  test('a body over the limit is 413 before it is read (V5.2.1)', async () => {
    const { status, json } = await ask('/api/assessments/a1/orders', {
      method: 'POST',
      body: '{}',
      headers: { 'content-length': '2000000' },
    })
    expect({ status, code: json.code }).toEqual({ status: 413, code: 'payload_too_large' })
  })
  test('a body that does not say its length is read up to the limit, then 413; one within it is taken', async () => {
    const served = makeApp({ maxBodyBytes: 100_000 }).listen({ port: 0, maxRequestBodySize: 4 * 1024 * 1024 })
    const send = async (kib: number) => {
      const body = new ReadableStream({
        start(stream) {
          const text = (part: string) => stream.enqueue(new TextEncoder().encode(part))
          text('{"quantity":"')
          for (let n = 0; n < kib; n++) text('1'.repeat(1024))
          text('"}')
          stream.close()
        },
      })
      const answer = await fetch(`http://127.0.0.1:${served.server!.port}/api/assessments/a1/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      return { status: answer.status, json: await answer.json(), type: answer.headers.get('content-type') }
    }
    expect((await send(97)).json.quantity).toHaveLength(97 * 1024)
    for (const kib of [98, 1500, 3000])
      expect(await send(kib)).toMatchObject({
        status: 413,
        json: { code: 'payload_too_large', detail: 'At most 100000 bytes.' },
        type: 'application/problem+json',
      })
    await served.stop(true)
  })
  test('a body that is not JSON is 415 and names what is wanted', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'json']) {
      const { status, json } = await ask('/api/assessments/a1/orders', {
        method: 'POST',
        body: '{"quantity":"1"}',
        headers: { 'content-type': type, 'content-length': '16' },
      })
      expect({ type, status, code: json.code }).toEqual({ type, status: 415, code: 'unsupported_media_type' })
      expect(json.detail).toContain('send application/json')
    }
    for (const type of ['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON']) {
      const headers = { 'content-type': type, 'content-length': '16' }
      const { status } = await ask('/api/assessments/a1/orders', { method: 'POST', body: '{"quantity":"1"}', headers })
      expect([type, status]).toEqual([type, 200])
    }
  })
  test('unknown errors and answers that break their schema are masked (V16.5.1)', async () => {
    for (const path of ['/crash', '/bad-answer']) {
      const { status, text, json } = await ask(path)
      expect({ path, status, code: json.code }).toEqual({ path, status: 500, code: 'internal' })
      expect(text).not.toContain('hunter2')
    }
  })
  test('a coded error keeps its public text and Retry-After, never its cause', async () => {
    const { status, json, text, response } = await ask('/busy')
    expect(status).toBe(503)
    expect(json).toMatchObject({ code: 'engine_behind', detail: 'Wait.' })
    expect(response.headers.get('retry-after')).toBe('2')
    expect(text).not.toContain('hidden')
  })
})

describe('context', () => {
  test('a sane request id is kept, a harmful one replaced (V1.3.3)', async () => {
    expect((await ask('/open', { headers: { 'x-request-id': 'caller-0001' } })).json.id).toBe('caller-0001')
    const { json } = await ask('/open', { headers: { 'x-request-id': 'a b{}' } })
    expect(json.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7/)
  })
  test('a refused credential answers 401 where an actor is needed and nothing where not', async () => {
    const headers = { authorization: 'Bearer stale' }
    expect(await ask('/open', { headers })).toMatchObject({ status: 200, json: { user: null } })
    expect(await ask('/mine', { headers })).toMatchObject({ status: 401, json: { detail: 'The token is not valid.' } })
    expect((await ask('/mine', { headers })).response.headers.get('www-authenticate')).toBe(
      'Bearer error="invalid_token"',
    )
    expect(await ask('/mine', { headers: { authorization: 'Bearer good' } })).toMatchObject({ json: { user: 'ada' } })
    expect(await ask('/mine', { headers: { 'x-api-key': 'good' } })).toMatchObject({ json: { user: 'ada' } })
    expect((await ask('/mine')).status).toBe(401)
  })
  test('a verifier that cannot ask its store lets nobody in (V16.5.3)', async () => {
    expect((await ask('/open', { headers: { authorization: 'Bearer store-down' } })).status).toBe(500)
  })
  test('forwarded addresses are believed from trusted proxies only (V4.1.3, V15.3.4)', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9, 10.0.0.1' }
    expect((await ask('/open', { headers })).json.address).toBe('127.0.0.1')
    const behind = makeApp({ trustedProxies: ['127.0.0.1', '10.0.0.0/8'] })
    expect((await ask('/open', { headers }, behind)).json.address).toBe('203.0.113.9')
  })
  test('whoever still asks while the listener closes is as far as before, not of this machine', async () => {
    const listener = { requestIP: () => ({ address: '203.0.113.9', family: 'IPv4', port: 1 }) }
    let server: typeof listener | null = listener
    const closing = makeApp({ server: () => server as unknown as Bun.Server<unknown> | null })
    expect((await ask('/open', {}, closing)).json.address).toBe('203.0.113.9')
    server = null
    expect((await ask('/open', {}, closing)).json.address).toBe('203.0.113.9')
  })
})

describe('edge', () => {
  test('the limit sees actor and route class, and its refusal stops the request', async () => {
    const seen: unknown[] = []
    const left: unknown[] = []
    const limited = makeApp({
      gate: () => ({
        enter(ctx, request, headers) {
          seen.push([ctx.actor?.userId, request.routeClass, request.read])
          headers.ratelimit = '"default";r=0;t=9'
          if (seen.length > 1) throw new AssayError('rate_limited', 'Slow down.', { retryAfterS: 9 })
        },
        left: (_ctx, request, how) => void left.push([request.routeClass, how.status, how.code, how.entered]),
      }),
    })
    await ask(
      '/api/assessments/a1/orders',
      { method: 'POST', body: '{"quantity":"1"}', headers: { authorization: 'Bearer good' } },
      limited,
    )
    const { status, response } = await ask('/open', {}, limited)
    await ask('/ws', { headers: { 'sec-websocket-protocol': 'msgpack, bearer, good' } }, limited)
    expect(seen).toEqual([
      ['ada', 'orders', false],
      [undefined, 'default', true],
      ['ada', 'default', false],
    ])
    expect(status).toBe(429)
    await until(() => left.length === 3)
    expect(left).toEqual([
      ['orders', 200, undefined, true],
      ['default', 429, 'rate_limited', false],
      ['default', 429, 'rate_limited', false],
    ])
    expect([response.headers.get('retry-after'), response.headers.get('ratelimit')]).toEqual(['9', '"default";r=0;t=9'])
  })
  test('every answer has security headers; CORS only for configured origins (V3.4.2)', async () => {
    const { response } = await ask('/open', { headers: { origin: 'https://app.example' } })
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example')
    const other = await ask('/open', { headers: { origin: 'https://evil.example' } })
    expect(other.response.headers.get('access-control-allow-origin')).toBeNull()
    const preflight = {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    }
    const answer = await ask('/open', preflight)
    expect([answer.status, answer.response.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, HEAD, POST, PUT, PATCH, DELETE',
    ])
    expect(answer.response.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(answer.response.headers.get('access-control-allow-headers')).toContain('if-match')
  })
  test('plain http is sent to https when asked, unless a trusted proxy ended TLS', async () => {
    const secure = makeApp({ forceHttps: true, trustedProxies: ['127.0.0.1'] })
    const { status, response } = await ask('/open?a=1', {}, secure)
    expect([status, response.headers.get('location')]).toEqual([308, 'https://localhost/open?a=1'])
    expect((await ask('/open', { headers: { 'x-forwarded-proto': 'https' } }, secure)).status).toBe(200)
  })
  test('one log line per request with route, user, trace; a masked cause is in it (V16.2.1, V16.2.4, V16.3.4)', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c'
    await ask('/api/assessments/a1/orders', {
      method: 'POST',
      body: '{"quantity":"1"}',
      headers: {
        authorization: 'Bearer good',
        traceparent: `00-${trace}-b7ad6b7169203331-01`,
        'x-request-id': 'logged-1',
      },
    })
    await ask('/crash', { headers: { 'x-request-id': 'logged-2' } })
    const logged = (id: string) => lines.filter((line) => line.request_id === id)
    await until(() => logged('logged-2').length > 0)
    const [order, crash] = [logged('logged-1'), logged('logged-2')]
    expect([order.length, crash.length]).toEqual([1, 1])
    expect(order[0]).toMatchObject({
      level: 30,
      route: '/api/assessments/:id/orders',
      assessment: 'a1',
      user: 'ada',
      status: 200,
      trace,
    })
    expect(crash[0]).toMatchObject({
      level: 50,
      route: '/crash',
      status: 500,
      code: 'internal',
      err: { message: 'pg password=hunter2' },
    })
  })
})

test('requests are counted by route pattern, never by path', async () => {
  const counted = makeApp({ metrics: createRequestMetrics(registry) })
  for (const id of ['a', 'b'])
    await ask(`/api/assessments/${id}/orders`, { method: 'POST', body: '{"quantity":"1"}' }, counted)
  await ask('/nowhere', {}, counted)
  const text = await eventually(
    () => registry.metrics(),
    (found) => found.includes('route="none"'),
  )
  expect(text).toContain('http_requests_total{method="POST",route="/api/assessments/:id/orders",status="200"} 2')
  expect(text).toContain('http_requests_in_flight 0')
})

async function eventually<T>(read: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  const end = performance.now() + 2_000
  for (;;) {
    const value = await read()
    if (fits(value) || performance.now() > end) return value
    await Bun.sleep(1)
  }
}
const until = (fits: () => boolean) =>
  eventually(
    async () => fits(),
    (done) => done,
  )
