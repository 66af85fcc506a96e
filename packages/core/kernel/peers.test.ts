import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnyElysia, Elysia } from 'elysia'
import { z } from 'zod'
import { AssayError } from '../contracts/errors.ts'
import { systemClock } from '../ports/clock/system.ts'
import { readConfig } from './config.ts'
import { edge, withCtx } from './edge.ts'
import { listen } from './listen.ts'
import { type LocalCa, makeLocalCa, openLocalCa, writeCredentials } from './local-ca.ts'
import { openLog } from './log.ts'
import { createMetrics, createRequestMetrics } from './metrics.ts'
import { type Network, openNetwork } from './network.ts'
import { createHttpsPeers } from './peers-https.ts'
import { createServiceTokens, SERVICE_TOKEN } from './service-token.ts'

const HOUR_MS = 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'assay-peers-'))
const log = openLog({ level: 'silent' }).logger
let ca: LocalCa
let network: Network
let url: string
const closing: (() => unknown)[] = []

const networkOf = async (name: string, port: number, from = ca) => {
  const files = writeCredentials(join(folder, name), name, await from.issue(name, HOUR_MS))
  const env = { ASSAY_PEERS: 'https://127.0.0.1:{port}', ASSAY_PEER_URL: `https://127.0.0.1:${port}`, ...files }
  return openNetwork([name], readConfig(env).platform, systemClock)!
}
/** A service of the platform reduced to its edge and two routes. */
function trading(its: Network) {
  const app: AnyElysia = new Elysia()
    .use(
      edge({
        log,
        clock: systemClock,
        metrics: createRequestMetrics(createMetrics()),
        tokens: { verify: async () => Promise.reject(new Error('nobody is verified here')) },
        gate: () => ({
          enter() {
            throw new AssayError('rate_limited', 'Only a service is not limited.')
          },
          left() {},
        }),
        forceHttps: false,
        callerOf: its.callerOf,
        routes: () => app.routes,
      }),
    )
    .get('/internal/slots', () => ({ slots: 64 }), { response: { 200: z.object({ slots: z.number() }) } })
    .use(withCtx)
    .get('/api/left', ({ ctx }) => ({
      ms: ctx.deadlineAt === undefined ? null : ctx.deadlineAt - systemClock.monotonic(),
    }))
  return app
}

beforeAll(async () => {
  ca = await makeLocalCa()
  network = await networkOf('trading', 0)
  const app = trading(network)
  const server = listen({ app } as never, { hostname: '127.0.0.1', port: 0 }, network)
  closing.push(() => server.stop(true))
  url = `https://127.0.0.1:${server.port}`
})
afterAll(() => {
  for (const close of closing) close()
  rmSync(folder, { recursive: true })
})

const status = async (answer: Promise<Response>) => (await answer).status
/** The code of a connection that did not come about. */
const refusal = async (answer: Promise<Response>) => {
  try {
    return `answered ${(await answer).status}`
  } catch (error) {
    return String((error as { code: string }).code)
  }
}

describe('a port for peers', () => {
  test('answers internal routes to a service that proves its name, and counts no limit', async () => {
    const gateway = await networkOf('gateway', 0)
    const answer = await gateway.peers.fetch('trading', url, '/internal/slots')
    expect(await answer.json()).toEqual({ slots: 64 })
  })
  test('has no internal route for what a service hands on for a client', async () => {
    const gateway = await networkOf('gateway', 0)
    const headers = { 'x-forwarded-for': '203.0.113.9' }
    expect(await status(gateway.peers.fetch('trading', url, '/internal/slots', { headers }))).toBe(404)
    expect(await status(gateway.peers.fetch('trading', url, '/api/left', { headers }))).toBe(200)
  })
  test('knows how long a service waits; whoever proves no name is an ordinary, limited client', async () => {
    const gateway = await networkOf('gateway', 0)
    const { ms } = await (await gateway.peers.fetch('trading', url, '/api/left', { timeoutMs: 700 })).json()
    expect(ms).toBeGreaterThan(0)
    expect(ms).toBeLessThanOrEqual(700)
    const tls = { ...network.credentials, serverName: 'trading.assay.internal' }
    const asked = fetch(`${url}/api/left`, { tls, headers: { 'x-deadline-ms': '5' } })
    expect(await status(asked)).toBe(429)
  })
  test('refuses plain HTTP and a caller without a certificate (V12.3.3)', async () => {
    expect(await refusal(fetch(url.replace('https', 'http')))).not.toStartWith('answered')
    const { ca: known } = network.credentials
    const tls = { ca: known, serverName: 'trading.assay.internal' }
    expect(await refusal(fetch(`${url}/health`, { tls }))).not.toStartWith('answered')
  })
  test('refuses a certificate of a foreign CA, even with the right names (V12.1.3, V12.3.4)', async () => {
    const foreign = await (await makeLocalCa()).issue('gateway', HOUR_MS)
    const tls = { ...foreign, ca: network.credentials.ca, serverName: 'trading.assay.internal' }
    expect(await refusal(fetch(`${url}/internal/slots`, { tls }))).not.toStartWith('answered')
  })
  test('refuses an expired certificate', async () => {
    const expired = await ca.issue('gateway', -1)
    const tls = { ...expired, serverName: 'trading.assay.internal' }
    expect(await refusal(fetch(`${url}/internal/slots`, { tls }))).not.toStartWith('answered')
  })
  test('has no internal route for a certificate of the CA that names no service of ours', async () => {
    const credentials = await ca.issue('intruder', HOUR_MS)
    const tls = { ...credentials, serverName: 'trading.assay.internal' }
    expect(await status(fetch(`${url}/internal/slots`, { tls }))).toBe(404)
    const tokens = createServiceTokens('intruder', credentials, systemClock)
    const peers = createHttpsPeers({ instance: 'x', url: 'https://x', replicas: () => [], credentials, tokens })
    expect(await status(peers.fetch('trading', url, '/internal/slots'))).toBe(404)
  })
  test('does not believe a token that another key signed, or that was made for another service', async () => {
    const gateway = await ca.issue('gateway', HOUR_MS)
    const tls = { ...gateway, serverName: 'trading.assay.internal' }
    const ask = (token: string) => status(fetch(`${url}/internal/slots`, { tls, headers: { [SERVICE_TOKEN]: token } }))
    const other = await ca.issue('gateway', HOUR_MS)
    const mixed = createServiceTokens('gateway', { ...gateway, key: other.key }, systemClock)
    expect(await ask(await mixed.mint('trading'))).toBe(404)
    const honest = createServiceTokens('gateway', gateway, systemClock)
    expect(await ask(await honest.mint('websocket'))).toBe(404)
    const ended = createServiceTokens('gateway', gateway, { now: () => Date.now() - 120_000 })
    expect(await ask(await ended.mint('trading'))).toBe(404)
    expect(await ask(await honest.mint('trading'))).toBe(200)
  })
  test('is not taken for a service that it is not', async () => {
    const gateway = await networkOf('gateway', 0)
    const answer = gateway.peers.fetch('market-data', url, '/internal/slots')
    expect(await answer.catch((error) => ({ name: error.name, sent: error.sent }))).toEqual({
      name: 'PeerError',
      sent: false,
    })
  })
})

describe('the local CA', () => {
  test('is made once and kept for its owner only', async () => {
    const at = join(folder, 'ca')
    const first = await openLocalCa(at)
    const again = await openLocalCa(at)
    expect(again.ca).toBe(first.ca)
    const files = writeCredentials(at, 'trading', await again.issue('trading', HOUR_MS))
    for (const file of [...Object.values(files), join(at, 'ca.key')]) expect(statSync(file).mode & 0o777).toBe(0o600)
  })
  test('is made anew before it ends', async () => {
    const at = join(folder, 'old')
    const first = await openLocalCa(at, Date.now() - 340 * 86_400_000)
    expect((await openLocalCa(at)).ca).not.toBe(first.ca)
  })
})
