import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnyElysia, Elysia } from 'elysia'
import { decodeJwt } from 'jose'
import { systemClock } from '../ports/clock/system.ts'
import { readConfig } from './config.ts'
import type { Actor } from './context.ts'
import { edge, withCtx } from './edge.ts'
import { listen } from './listen.ts'
import { type LocalCa, makeLocalCa, writeCredentials } from './local-ca.ts'
import { openLog } from './log.ts'
import { createMetrics, createRequestMetrics } from './metrics.ts'
import { type Network, openNetwork } from './network.ts'
import { markInternal } from './request.ts'
import { createServiceTokens, type PeerCredentials } from './service-token.ts'

const HOUR_MS = 3_600_000
const ann: Actor = {
  userId: 'ann',
  role: 'trader',
  tenant: 'firm',
  plan: 'standard',
  scopes: ['trading:read', 'orders:write'],
  sessionId: 'session-1',
}
const folder = mkdtempSync(join(tmpdir(), 'assay-act-'))
let ca: LocalCa
let network: Network
let app: AnyElysia
let url: string
let stop: () => unknown
const credentialsOf = (service: string): Promise<PeerCredentials> => ca.issue(service, HOUR_MS)
const networkOf = async (name: string) => {
  const files = writeCredentials(join(folder, name), name, await ca.issue(name, HOUR_MS))
  const env = { ASSAY_PEERS: 'https://127.0.0.1:{port}', ASSAY_PEER_URL: 'https://127.0.0.1:1', ...files }
  return openNetwork([name], readConfig(env).platform, systemClock)!
}

beforeAll(async () => {
  ca = await makeLocalCa()
  network = await networkOf('trading')
  app = new Elysia()
    .use(
      edge({
        log: openLog({ level: 'silent' }).logger,
        clock: systemClock,
        metrics: createRequestMetrics(createMetrics()),
        tokens: { verify: async () => ({ ...ann, userId: 'by its own token' }) },
        callerOf: network.callerOf,
        routes: () => app.routes,
      }),
    )
    .use(withCtx)
    .get('/api/me', ({ ctx }) => ({ actor: ctx.actor }))
  const server = listen({ app } as never, { hostname: '127.0.0.1', port: 0 }, network)
  stop = () => server.stop(true)
  url = `https://127.0.0.1:${server.port}`
})
afterAll(() => {
  stop()
  rmSync(folder, { recursive: true })
})

test('a service token of a call for a user carries the user in `act`, and its callee sees that actor', async () => {
  const { peers } = await networkOf('gateway')
  const seen = async (call: object) => (await (await peers.fetch('trading', url, '/api/me', call)).json()).actor
  expect(await seen({ act: ann })).toEqual(ann)
  expect(await seen({})).toBeNull()
  const agent: Actor = { ...ann, sessionId: 'session-2', clientId: 'https://agent.example/client.json' }
  expect(await seen({ act: agent })).toEqual(agent)
  // a credential that is passed on is looked at itself
  expect((await seen({ act: ann, headers: { authorization: 'Bearer x' } })).userId).toBe('by its own token')
})

test('a call within one process says for whom it asks in the same way', async () => {
  const request = new Request('http://trading/api/me')
  markInternal(request, ann)
  expect((await (await app.handle(request)).json()).actor).toEqual(ann)
})

test('tokens for different users are different ones, minted once a minute each, and hold no more scopes than are known', async () => {
  const gateway = createServiceTokens('gateway', await credentialsOf('gateway'), systemClock)
  const trading = createServiceTokens('trading', await credentialsOf('trading'), systemClock)
  const bob: Actor = { ...ann, userId: 'bob' }
  const [forAnn, again, forBob, plain] = await Promise.all([
    gateway.mint('trading', ann),
    gateway.mint('trading', { ...ann }),
    gateway.mint('trading', bob),
    gateway.mint('trading'),
  ])
  expect(again).toBe(forAnn!)
  expect(new Set([forAnn, forBob, plain]).size).toBe(3)
  expect(decodeJwt(forAnn!)).toMatchObject({ iss: 'gateway.assay.internal', act: { sub: 'ann', tenant: 'firm' } })
  const strange = await gateway.mint('trading', { ...ann, scopes: ['orders:write', 'unheard:of' as never] })
  expect((await trading.verify(strange))?.act?.scopes).toEqual(['orders:write'])
  expect((await trading.verify(forBob!))?.act?.userId).toBe('bob')
  expect(await trading.verify(plain!)).toEqual({ service: 'gateway' })
  // for another callee, or by nobody of the CA's, it says nothing
  const market = createServiceTokens('market-data', await credentialsOf('market-data'), systemClock)
  expect(await market.verify(forAnn!)).toBeNull()
  const stranger = await makeLocalCa()
  const forged = createServiceTokens('gateway', await stranger.issue('gateway', HOUR_MS), systemClock)
  expect(await trading.verify(await forged.mint('trading', ann))).toBeNull()
})
