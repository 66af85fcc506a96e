/** The real listener and its router against targets and hosts that name another path than the one that is routed. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import type { Server } from 'bun'
import { Elysia } from 'elysia'
import pino from 'pino'
import { Registry } from 'prom-client'
import type { Platform } from './compose.ts'
import { edge, withCtx } from './edge.ts'
import type { LimitedRequest } from './limit.ts'
import { listen } from './listen.ts'
import { createRequestMetrics } from './metrics.ts'

const metrics = new Registry()
const entered: LimitedRequest[] = []
let reached = 0
let server: Server<unknown>
beforeAll(() => {
  const app = new Elysia()
  app
    .use(
      edge({
        log: pino({ level: 'silent' }),
        clock: { now: () => 1_000, monotonic: () => performance.now(), sleep: async () => {} },
        metrics: createRequestMetrics(metrics),
        tokens: { verify: async () => Promise.reject(new Error('nobody has a token')) },
        gate: () => ({ enter: (_, request) => void entered.push(request), left() {} }),
        routes: () => app.routes,
      }),
    )
    .use(
      new Elysia()
        .use(withCtx)
        .get('/health', () => 'well')
        .get('/api/orders', () => 'orders')
        .get('/internal/keys', () => `secret ${++reached}`)
        .get('/internal/sessions/:id', () => `secret ${++reached}`)
        .get('/internal/:one/:two', () => `secret ${++reached}`),
    )
  server = listen({ app, websocket: undefined } as unknown as Platform, { hostname: '127.0.0.1', port: 0 })
})
afterAll(() => server.stop(true))

/** The status of what was answered. */
function ask(head: string): Promise<number> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(Number(server.port), '127.0.0.1', () => socket.write(head))
    socket.on('data', (data) => {
      said += data
      if (said.includes('\r\n\r\n')) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(said)?.[1] ?? 0)))
  })
}
const get = (target: string, host: string) =>
  ask(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
const NO_HOSTS = ['', ' ', 'a b', 'a/health?', 'a/api/orders#', 'user@a', 'a, b', '<a>', 'a\\b', 'a"', 'é']

test.each([...NO_HOSTS])(
  'a Host that names no host, %j, is 400 before any route: what the edge decides by the path is decided by the one that is routed (V4.2.1)',
  async (host) => {
    for (const target of ['/internal/keys', '/internal/sessions/a', '/api/orders', '/health'])
      expect([target, await get(target, host)]).toEqual([target, 400])
    expect([reached, entered]).toEqual([0, []])
  },
)
test('nor does a request without a Host get anywhere, or one whose target is a whole URL get elsewhere', async () => {
  expect(await ask('GET /internal/keys HTTP/1.0\r\n\r\n')).toBe(400)
  expect(await ask('GET /api/orders HTTP/1.0\r\n\r\n')).toBe(400)
  for (const target of ['http://b/internal/keys', 'http:///internal/keys', '/api/../internal/keys', '/internal/keys?/'])
    expect([target, await get(target, 'a')]).toEqual([target, 404])
  expect(reached).toBe(0)
})
test('the router does not resolve dots, the URL does: routes for services are guarded as they are routed', async () => {
  for (const target of ['/internal/sessions/..', '/internal/../x', '/internal/x/%2e%2e', '/internal/../..'])
    expect([target, await get(target, 'a')]).toEqual([target, 404])
  expect(reached).toBe(0)
})
test('hosts as they are get their answer, and what was refused is counted as finished', async () => {
  for (const host of ['a', 'a.example:8000', '127.0.0.1:1', '[::1]:18470', 'my_service'])
    expect([host, await get('/api/orders', host)]).toEqual([host, 200])
  expect(await metrics.getSingleMetricAsString('http_requests_in_flight')).toEndWith('http_requests_in_flight 0')
})
