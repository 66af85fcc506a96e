import { afterAll, beforeAll, expect, test } from 'bun:test'
import { AssayError } from '@assay/core/contracts/errors'
import { type BaseDeps, compose } from '@assay/core/kernel/compose'
import { readConfig } from '@assay/core/kernel/config'
import { createLifecycle } from '@assay/core/kernel/lifecycle'
import { openApiDocument } from '@assay/core/kernel/openapi'
import type { Consumer, Service } from '@assay/core/kernel/service'
import { createMemoryCache } from '@assay/core/ports/cache/memory'
import { systemClock as clock } from '@assay/core/ports/clock/system'
import { createMemoryPresence } from '@assay/core/ports/presence/memory'
import { Elysia } from 'elysia'
import pino from 'pino'
import { Registry } from 'prom-client'
import { z } from 'zod'
import { websocket } from './service.ts'
import { connect } from './testing/client.ts'
import { testSource } from './testing/sources.ts'

const log = pino({ level: 'silent' })
const lifecycle = createLifecycle({ log })
const source = testSource({ name: 'ticks', holds: 10 })
/** Comes after websocket in the list, as every owner of a channel may. */
const owner: Service = {
  name: 'owner',
  config: z.object({}),
  create: () => ({
    app: new Elysia({ name: 'owner' }),
    channels: [source],
    tokens: {
      async verify(token) {
        if (token !== 'key') throw new AssayError('unauthorized', 'No.')
        return { userId: 'ann', role: 'trader', tenant: 'default', scopes: [], plan: 'free' }
      },
    },
  }),
}
let away: string | null = null
const subscribed: Pick<Consumer, 'group' | 'topics'>[] = []
let app: Awaited<ReturnType<typeof compose>>['app']
beforeAll(async () => {
  const services = [websocket, owner]
  const config = readConfig(
    { CORS_ORIGINS: 'https://desk.example' },
    services.map((service) => service.config),
  )
  const bus = { subscribe: async (consumer: Consumer) => subscribed.push(consumer) }
  const db = {
    kind: 'pglite',
    query: async () => [],
    as() {
      return this
    },
  }
  const stores = { db, cache: createMemoryCache(clock), presence: { ...createMemoryPresence(), away: () => away } }
  const base = { log, clock, metrics: new Registry(), bus, ...stores } as unknown as BaseDeps
  const platform = await compose({ services, base, config, lifecycle })
  app = platform.app
  app.listen({ port: 0, hostname: '127.0.0.1', websocket: platform.websocket })
  await platform.start()
})
afterAll(() => app.stop(true))
const host = () => `127.0.0.1:${app.server!.port}`

test('composed with the others it pushes the channels that they declare, on the one port', async () => {
  const client = await connect(`ws://${host()}/ws`, {
    protocols: ['bearer', 'key'],
    headers: { origin: 'https://desk.example' },
  })
  client.send({ op: 'subscribe', channels: ['ticks:A'] })
  await client.next(({ type }) => type === 'snapshot')
  source.publish('A', { data: 1 })
  await client.next(({ type }) => type === 'event')
  client.socket.close()
})

test('the process passes the socket bounds on: a message over 64 KiB ends the connection', async () => {
  const client = await connect(`ws://${host()}/ws`, { protocols: ['bearer', 'key'] })
  client.socket.send('x'.repeat(64 * 1024 + 1))
  expect((await client.closed).code).toBeOneOf([1006, 1009])
})

test('it listens for revoked identities', () => {
  expect(subscribed.map(({ topics }) => topics.map(({ name }) => name))).toEqual([['identity.revoked']])
})

test('/health says that each process counts its own connections while the server that counts all of them is away', async () => {
  const degraded = async () =>
    ((await (await fetch(`http://${host()}/health`)).json()) as { degraded: string[] }).degraded
  expect(await degraded()).toEqual([])
  away = 'ECONNREFUSED'
  expect(await degraded()).toEqual(['websocket: each process counts its own connections: ECONNREFUSED'])
  away = null
})

test('OpenAPI lists the ticket route; refusals are problems', async () => {
  expect(Object.keys(openApiDocument(app).paths as object).filter((path) => path.includes('ws'))).toEqual([
    '/api/ws/ticket',
  ])
  const refused = await fetch(`http://${host()}/ws`, { headers: { upgrade: 'websocket', connection: 'upgrade' } })
  expect(refused.status).toBe(401)
  expect(await refused.json()).toMatchObject({ type: 'urn:assay:error:unauthorized', instance: '/ws' })
})

test('closing the process ends its connections with 1001', async () => {
  const client = await connect(`ws://${host()}/ws`, { protocols: ['bearer', 'key'] })
  await lifecycle.close()
  expect(await client.closed).toMatchObject({ code: 1001 })
})
