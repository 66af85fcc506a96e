import { afterAll, afterEach, expect, test } from 'bun:test'
import type { RedisServer } from '@assay/core/ports/cache/redis-server'
import { createMemoryPresence } from '@assay/core/ports/presence/memory'
import type { Presence } from '@assay/core/ports/presence/port'
import { createRedisPresence } from '@assay/core/ports/presence/redis'
import { describeAdapters, describeReal } from '@assay/core/testing/adapters'
import { breakable, testRedis } from '@assay/core/testing/redis'
import { until as eventually } from '@assay/core/testing/until'
import { closeConnections } from '../push/hub.ts'
import { connect, until } from '../testing/client.ts'
import { startServer, type TestServer } from '../testing/server.ts'

const closing: (() => Promise<unknown>)[] = []
const closeAll = async () => {
  for (const close of closing.splice(0).reverse()) await close()
}
afterEach(closeAll)
afterAll(closeAll)

const TTL_MS = 300
async function onRedis(prefix: string): Promise<{ redis: RedisServer; presence: Presence }> {
  const redis = await testRedis({ prefix })
  const presence = createRedisPresence({ redis, ttlMs: TTL_MS })
  closing.push(
    () => redis.close(),
    () => presence.close(),
  )
  return { redis, presence }
}
function hub(presence: Presence, limits = { connectionsPerUser: 3 }): TestServer {
  const server = startServer({ sources: [], presence, limits })
  closing.push(() => server.stop())
  return server
}
const open = (server: TestServer, user: string) =>
  connect(`ws://${server.host}/ws`, { protocols: ['bearer', server.token(user)] })
/** What a client that may not connect is told. */
async function refusal(server: TestServer, user: string): Promise<{ status: number; body: { detail: string } }> {
  const headers = {
    upgrade: 'websocket',
    connection: 'upgrade',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-version': '13',
    'sec-websocket-protocol': `bearer, ${server.token(user)}`,
  }
  const answer = await fetch(`http://${server.host}/ws`, { headers })
  return { status: answer.status, body: (await answer.json()) as { detail: string } }
}

const memory = async () => {
  const presence = createMemoryPresence()
  return [presence, presence] as const
}
const real = async () => {
  const prefix = `test:${crypto.randomUUID()}:`
  return [(await onRedis(prefix)).presence, (await onRedis(prefix)).presence] as const
}
describeAdapters('seats of two hubs', { embedded: memory, real }, (presences) => {
  test('of many that connect at once to both hubs exactly as many get in as a user may have', async () => {
    const hubs = (await presences()).map((presence) => hub(presence))
    const tries = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => open(hubs[i % 2]!, 'ann')))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    for (const one of hubs) {
      const { status, body } = await refusal(one, 'ann')
      expect([status, body.detail]).toEqual([429, 'A user holds at most 3 connections.'])
    }
    ;(await open(hubs[0]!, 'bob')).socket.close()
  })
  test('a connection that closes at one hub makes room at the other; so does a hub that ends', async () => {
    const [first, second] = (await presences()).map((presence) => hub(presence)) as [TestServer, TestServer]
    const clients = [await open(first, 'ann'), await open(first, 'ann'), await open(second, 'ann')]
    expect((await refusal(second, 'ann')).status).toBe(429)
    clients[0]!.socket.close()
    await until(() => first.hub.connections.size === 1)
    await eventually('its seat is free', async () => (await second.hub.presence.list('ann')).length === 2)
    await open(second, 'ann')
    expect((await refusal(second, 'ann')).status).toBe(429)
    closeConnections(first.hub, 'goingAway')
    await eventually('its seats are free', async () => (await second.hub.presence.list('ann')).length === 2)
    await open(second, 'ann')
  })
  test('a hub that begins to end while seats are counted lets nobody in, and keeps no seat', async () => {
    const [presence] = await presences()
    const entering = Promise.withResolvers<void>()
    const going = Promise.withResolvers<void>()
    const slow: Presence = {
      ...presence,
      async enter(who, most) {
        const seat = await presence.enter(who, most)
        entering.resolve()
        await going.promise
        return seat
      },
    }
    const one = hub(slow)
    const asked = refusal(one, 'ann')
    await entering.promise
    one.hub.draining = true
    going.resolve()
    expect(await asked).toMatchObject({ status: 503, body: { detail: 'The server is closing.' } })
    await eventually('no seat is kept', async () => (await presence.list('ann')).length === 0)
  })
})

describeReal('seats of two hubs on one Redis', () => {
  test('the connections of a hub that is killed count until their time is over, those of the other one stay', async () => {
    const prefix = `test:${crypto.randomUUID()}:`
    const [dying, living] = [await onRedis(prefix), await onRedis(prefix)]
    const [first, second] = [hub(dying.presence), hub(living.presence)]
    for (let i = 0; i < 2; i++) await open(first, 'ann')
    await open(second, 'ann')
    expect((await refusal(second, 'ann')).status).toBe(429)
    // as kill -9: nothing more is heard of it
    await dying.redis.close()
    await eventually('its seats are over', async () => (await living.presence.list('ann')).length === 1)
    for (let i = 0; i < 2; i++) await open(second, 'ann')
    expect((await refusal(second, 'ann')).status).toBe(429)
  })
  test('without Redis each hub lets in by its own count; nobody is put out when it is back, and both are counted', async () => {
    const prefix = `test:${crypto.randomUUID()}:`
    const wire = { cut: false }
    const presences = await Promise.all(
      [1, 2].map(async () => {
        const redis = breakable(await testRedis({ prefix }), wire)
        closing.push(() => redis.close())
        const presence = createRedisPresence({ redis, ttlMs: TTL_MS })
        closing.push(() => presence.close())
        return presence
      }),
    )
    const [first, second] = presences.map((presence) => hub(presence)) as [TestServer, TestServer]
    await open(first, 'ann')
    wire.cut = true
    for (const [server, more] of [
      [first, 2],
      [second, 3],
    ] as const) {
      for (let i = 0; i < more; i++) await open(server, 'ann')
      expect((await refusal(server, 'ann')).status).toBe(429)
    }
    wire.cut = false
    await eventually('all are counted', async () => (await second.hub.presence.list('ann')).length === 6)
    expect([first.hub.connections.size, second.hub.connections.size]).toEqual([3, 3])
    expect((await refusal(first, 'ann')).status).toBe(429)
  })
})
