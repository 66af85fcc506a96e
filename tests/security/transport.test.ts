import { afterAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:tls'
import { edge } from '@assay/core/kernel/edge'
import { listen } from '@assay/core/kernel/listen'
import { makeLocalCa } from '@assay/core/kernel/local-ca'
import { createRequestMetrics } from '@assay/core/kernel/metrics'
import type { Network } from '@assay/core/kernel/network'
import { createHttpsPeers } from '@assay/core/kernel/peers-https'
import { createServiceTokens } from '@assay/core/kernel/service-token'
import { systemClock } from '@assay/core/ports/clock/system'
import { type AnyElysia, Elysia } from 'elysia'
import pino from 'pino'
import { Registry } from 'prom-client'

const HOUR_MS = 3_600_000
const closing: (() => unknown)[] = []
afterAll(() => Promise.all(closing.map((close) => close())))

describe('a public port in production', () => {
  const app: AnyElysia = new Elysia()
  app
    .use(
      edge({
        log: pino({ level: 'silent' }),
        clock: systemClock,
        metrics: createRequestMetrics(new Registry()),
        tokens: { verify: () => Promise.reject(new Error('nobody asks before the redirect')) },
        forceHttps: true,
        trustedProxies: ['127.0.0.1'],
        routes: () => app.routes,
      }),
    )
    .get('/open', () => 'open')
    .ws('/ws', { message: () => {} })
  const ask = (path: string, headers: Record<string, string> = {}) =>
    app.handle(new Request(`http://localhost${path}`, { headers }))
  const secure = { 'x-forwarded-proto': 'https' }

  test('tells browsers on every answer to come by TLS for a year, on all names below it (V3.4.1)', async () => {
    const answers = [
      await ask('/open'),
      await ask('/open', secure),
      await ask('/nowhere', secure),
      await ask('/health'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([308, 200, 404, 404])
    for (const { headers } of answers)
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains')
  })
  test('serves nothing in the clear: a credential is not even looked at (V12.2.1)', async () => {
    const plain = await ask('/open', { authorization: 'Bearer anything', 'x-forwarded-proto': 'http' })
    expect([plain.status, plain.headers.get('location')]).toEqual([308, 'https://localhost/open'])
  })
  test('opens no WebSocket in the clear (V4.4.1)', async () => {
    app.listen({ port: 0, hostname: '127.0.0.1' })
    closing.push(() => app.server?.stop(true))
    const refused = await new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${app.server!.port}/ws`)
      socket.onopen = () => resolve('opened')
      socket.onerror = () => resolve('refused')
      socket.onclose = () => resolve('refused')
    })
    expect(refused).toBe('refused')
  })
})

describe('a public port with a certificate of its own', async () => {
  const { cert, key } = await (await makeLocalCa()).issue('gateway', HOUR_MS)
  const app: AnyElysia = new Elysia().get('/open', () => 'open')
  const certificate = { cert, key }
  const server = listen({ app } as never, { hostname: '127.0.0.1', port: 0, certificate } as never)
  closing.push(() => server.stop(true))
  const handshake = (options: object) =>
    new Promise<string>((resolve) => {
      const at = { host: '127.0.0.1', port: Number(server.port), rejectUnauthorized: false }
      const socket = connect({ ...at, ...options }, () => {
        resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
        socket.destroy()
      })
      socket.on('error', () => resolve('refused'))
    })
  test('prefers TLS 1.3, takes 1.2, and nothing before it (V12.1.1)', async () => {
    expect(await handshake({})).toStartWith('TLSv1.3')
    expect(await handshake({ maxVersion: 'TLSv1.2' })).toStartWith('TLSv1.2')
    expect(await handshake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).toBe('refused')
  })
  test('takes ciphers that authenticate and keep past traffic secret, no others (V12.1.2)', async () => {
    const old = (ciphers: string) => handshake({ maxVersion: 'TLSv1.2', ciphers })
    for (const good of [
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
    ])
      expect(await old(good)).toBe(`TLSv1.2 ${good}`)
    for (const bad of [
      'ECDHE-ECDSA-AES128-SHA',
      'ECDHE-ECDSA-AES256-SHA',
      'AES128-SHA',
      'AES128-GCM-SHA256',
      'DES-CBC3-SHA',
    ])
      expect([bad, await old(bad)]).toEqual([bad, 'refused'])
  })
})

describe('between services', async () => {
  const ca = await makeLocalCa()
  const credentials = await ca.issue('trading', HOUR_MS)
  const app: AnyElysia = new Elysia().get('/away', () => Response.redirect('http://127.0.0.1:1/elsewhere', 302))
  const network = { self: 'trading', credentials } as Network
  const server = listen({ app } as never, { hostname: '127.0.0.1', port: 0 }, network)
  closing.push(() => server.stop(true))
  const gateway = await ca.issue('gateway', HOUR_MS)

  const handshake = (options: object) =>
    new Promise<string>((resolve) => {
      const socket = connect(
        { host: '127.0.0.1', port: Number(server.port), servername: 'trading.assay.internal', ...gateway, ...options },
        () => {
          resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
          socket.destroy()
        },
      )
      socket.on('error', () => resolve('refused'))
    })
  test('TLS is 1.3 alone: a caller that knows 1.2 at most gets no handshake (V12.1.1)', async () => {
    expect(await handshake({})).toStartWith('TLSv1.3')
    expect(await handshake({ maxVersion: 'TLSv1.2' })).toBe('refused')
  })
  test('the cipher is an authenticated one of TLS 1.3 (V12.1.2)', async () => {
    expect(await handshake({})).toMatch(/TLS_(AES_256_GCM_SHA384|AES_128_GCM_SHA256|CHACHA20_POLY1305_SHA256)$/)
  })
  test('an answer that points elsewhere is not followed (V15.3.2)', async () => {
    const peers = createHttpsPeers({
      instance: 'gateway',
      url: 'https://gateway',
      replicas: () => [],
      credentials: gateway,
      tokens: createServiceTokens('gateway', gateway, systemClock),
    })
    const answer = await peers.fetch('trading', `https://127.0.0.1:${server.port}`, '/away')
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'http://127.0.0.1:1/elsewhere'])
  })
})
