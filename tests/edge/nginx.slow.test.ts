import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withCtx } from '@assay/core/kernel/edge'
import { type Started, startPlatform } from '@assay/core/kernel/run'
import type { Service } from '@assay/core/kernel/service'
import { gateway } from '@assay/services/gateway/service'
import { marketData } from '@assay/services/market-data/service'
import { websocket } from '@assay/services/websocket/service'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { capture } from '../../scripts/capture.ts'
import { ROOT } from '../../scripts/root.ts'
import { type Certificate, makeCertificate } from '../../scripts/stack/certificate.ts'
import { freePorts } from '../../scripts/stack/ports.ts'
import { type Nginx, startNginx } from '../../scripts/stack/servers/nginx.ts'

/** deploy/nginx.conf as it is, but for ports, name and certificate, before the platform in one process. */
const folder = mkdtempSync(join(tmpdir(), 'assay-nginx-'))
let certificate: Certificate
let platform: Started
let nginx: Nginx
let https = ''
let http = ''
let release = () => {}

/** Tells who asks, and streams: an event, and another one when the test says so. */
const mirror: Service = {
  name: 'mirror',
  config: z.object({}),
  create: () => ({
    app: new Elysia({ name: 'mirror' })
      .use(withCtx)
      .get('/api/mirror', ({ ctx, request }) => ({ address: ctx.address, host: request.headers.get('host') }))
      .post('/api/mirror', ({ body }) => ({ bytes: JSON.stringify(body).length }), { parse: 'json' })
      .get(
        '/api/events',
        () =>
          new Response(
            new ReadableStream({
              start(events) {
                const say = (text: string) => events.enqueue(new TextEncoder().encode(`data: ${text}\n\n`))
                say('first')
                release = () => {
                  release = () => {}
                  say('second')
                  events.close()
                }
              },
            }),
            { headers: { 'content-type': 'text/event-stream' } },
          ),
      ),
  }),
}

beforeAll(async () => {
  const [plain, secure, own] = (await freePorts(3)) as [number, number, number]
  certificate = await makeCertificate(join(folder, 'tls'))
  platform = await startPlatform({
    services: [gateway, marketData, websocket, mirror],
    port: own,
    env: {
      ASSAY_HOME: join(folder, 'home'),
      LOG_LEVEL: 'silent',
      FORCE_HTTPS: 'true',
      TRUSTED_PROXIES: '127.0.0.1',
      PUBLIC_URL: `https://localhost:${secure}`,
      CORS_ORIGINS: `https://localhost:${secure}`,
    },
  })
  const configuration = readFileSync(`${ROOT}deploy/nginx.conf`, 'utf8')
    .replace('server 127.0.0.1:8000', `server 127.0.0.1:${own}`)
    .replace('listen 80;', `listen 127.0.0.1:${plain};`)
    .replace('listen 443 ssl', `listen 127.0.0.1:${secure} ssl`)
    .replaceAll('server_name assay.example', 'server_name localhost')
    .replace('/etc/nginx/assay/fullchain.pem', certificate.certFile)
    .replace('/etc/nginx/assay/privkey.pem', certificate.keyFile)
    .replace(/^worker_rlimit_nofile.*$/m, '')
    .replace('worker_connections 16384', 'worker_connections 512')
  nginx = await startNginx({ folder: join(folder, 'nginx'), configuration, port: secure })
  https = `https://localhost:${secure}`
  http = `http://127.0.0.1:${plain}`
}, 600_000)
afterAll(async () => {
  release()
  await nginx?.stop()
  await platform?.close()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const ask = (path: string, init: RequestInit = {}) =>
  fetch(https + path, {
    redirect: 'manual',
    ...init,
    tls: { ca: readFileSync(certificate.caFile, 'utf8') },
  } as RequestInit)

test('plain HTTP is sent to https with 308; past nginx the platform itself does it', async () => {
  const sent = await fetch(`${http}/api/mirror?x=1`, { redirect: 'manual' })
  expect([sent.status, sent.headers.get('location')]).toEqual([308, 'https://localhost/api/mirror?x=1'])
  const past = await fetch(`${platform.url}/api/mirror`, { redirect: 'manual' })
  expect(past.status).toBe(308)
})
test('over TLS the platform answers, with HSTS, and sees the client’s own address, whatever that forwards', async () => {
  const answer = await ask('/api/mirror', {
    headers: { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' },
  })
  expect([answer.status, answer.headers.get('strict-transport-security')]).toEqual([
    200,
    'max-age=31536000; includeSubDomains',
  ])
  expect(await answer.json()).toEqual({ address: '127.0.0.1', host: 'localhost' })
  expect(answer.headers.get('server')).toBe('nginx')
})
test('HTTP/2 and TLS 1.2 are spoken, TLS 1.1 is not', async () => {
  const curl = (...more: string[]) =>
    capture(
      [
        'curl',
        '-s',
        '-o',
        '/dev/null',
        '--cacert',
        certificate.caFile,
        '-w',
        '%{http_version} %{http_code}',
        ...more,
        `${https}/api`,
      ],
      {
        timeoutMs: 20_000,
      },
    )
  expect((await curl('--http2')).output).toBe('2 200')
  expect((await curl('--tls-max', '1.2')).output).toEndWith(' 200')
  expect((await curl('--tlsv1.0', '--tls-max', '1.1')).code).not.toBe(0)
})
test('a body up to 1 MiB goes through; above it the platform’s own 413 comes back, as problem+json', async () => {
  const post = (bytes: number) =>
    ask('/api/mirror', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'x'.repeat(bytes) }),
    })
  expect(await (await post(1_000_000)).json()).toEqual({ bytes: 1_000_011 })
  const refused = await post(1_100_000)
  expect([refused.status, refused.headers.get('content-type')]).toEqual([413, 'application/problem+json'])
  expect((await post(3_000_000)).status).toBe(413)
})
test('server-sent events arrive one by one, not when the stream ends', async () => {
  const answer = await ask('/api/events')
  const reader = answer.body!.getReader()
  const read = async () => new TextDecoder().decode((await reader.read()).value)
  expect(await read()).toBe('data: first\n\n')
  release()
  expect(await read()).toBe('data: second\n\n')
  expect((await reader.read()).done).toBe(true)
})
test('a WebSocket opens through it, is told the service’s own words, and its ticks come', async () => {
  const socket = new WebSocket(`${https.replace('https', 'wss')}/ws`, {
    headers: { origin: https },
    tls: { ca: readFileSync(certificate.caFile, 'utf8') },
  } as never)
  const outcome = await new Promise<string>((resolve) => {
    socket.onopen = () => resolve('open')
    socket.onerror = () => resolve('refused')
    socket.onclose = () => resolve('refused')
  })
  // nobody is logged in: refused by the platform, not by nginx
  expect(outcome).toBe('refused')
  const who = { email: 'ann@traders.example', password: 'a long password of ann' }
  const post = (path: string) =>
    ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(who) })
  await post('/api/auth/register')
  const { token } = (await (await post('/api/auth/login')).json()) as { token: string }
  const live = new WebSocket(`${https.replace('https', 'wss')}/ws`, {
    protocols: ['bearer', token],
    headers: { origin: https },
    tls: { ca: readFileSync(certificate.caFile, 'utf8') },
  } as never)
  const types: string[] = []
  const event = new Promise<void>((resolve, reject) => {
    live.onmessage = ({ data }) => {
      const { type } = JSON.parse(String(data)) as { type: string }
      types.push(type)
      if (type === 'event') resolve()
    }
    live.onclose = ({ code, reason }) => reject(new Error(`closed ${code} ${reason}`))
  })
  live.onopen = () => live.send(JSON.stringify({ op: 'subscribe', id: 1, channels: ['ticks:BTC/USD'] }))
  await event
  live.onclose = null
  live.close()
  expect(types).toContain('ack')
}, 60_000)
test('metrics are not for the outside', async () => {
  for (const path of ['/metrics', '/metrics/', '//metrics', '/%6detrics', '/metrics?x', '/x/../metrics/'])
    expect([path, (await ask(path)).status]).toEqual([path, 404])
})
