import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Delivered } from '@assay/core/ports/bus/port'
import { onIdentityRevoked } from '../consumers/identity-revoked.ts'
import { connect, type TestClient, until } from '../testing/client.ts'
import { startServer, type TestServer } from '../testing/server.ts'
import { testSource } from '../testing/sources.ts'
import type { ServerMessage } from './protocol.ts'

const journal = testSource({
  name: 'assessment',
  holds: Number.POSITIVE_INFINITY,
  owner: (key) => key.split('-')[0]!.toLowerCase(),
})
const ring = testSource({ name: 'ticks', holds: 500 })
let server: TestServer
beforeAll(() => {
  server = startServer({
    sources: [journal, ring],
    limits: { heldEvents: 100, subscriptionsPerConnection: 3, connectionsPerUser: 4 },
  })
})
afterAll(() => server.stop())

const url = () => `ws://${server.host}/ws`
const open = (userId: string) => connect(url(), { protocols: ['bearer', server.token(userId)] })
const seqs = (client: TestClient, channel: string) =>
  client.messages.filter((m) => m.type === 'event' && m.channel === channel).map((m) => m.seq!)
const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + 1 + at)
const codeOf = (message: ServerMessage) => (message.data as { code: string }).code
const seatsOf = (userId: string) => [...server.hub.connections].filter((c) => c.caller.actor.userId === userId).length
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('subscribe answers ack, snapshot {seq: S}, then the events after S', async () => {
  ring.publish('A', { data: 1 })
  ring.publish('A', { data: 2 })
  const client = await open('ann')
  client.send({ op: 'subscribe', id: 's1', channels: ['ticks:a'] })
  await client.next(({ type }) => type === 'snapshot')
  ring.publish('A', { data: 3 })
  await client.next(({ type }) => type === 'event')
  expect(client.messages).toEqual([
    {
      type: 'ack',
      id: 's1',
      channel: 'ticks:A',
      seq: 2,
      ts: expect.any(Number),
      data: { op: 'subscribe', requested: 'ticks:a' },
    },
    { type: 'snapshot', channel: 'ticks:A', seq: 2, ts: expect.any(Number), data: { last: 2 } },
    { type: 'event', channel: 'ticks:A', seq: 3, ts: expect.any(Number), data: 3 },
  ])
  client.socket.close()
})

test('no event is missing or doubled, whenever clients subscribe or resume while thousands are published', async () => {
  const channel = 'assessment:ANN-RACE'
  const clients = await Promise.all([1, 2, 3].map(() => open('ann')))
  const runs: { start: number; got: number[] }[] = []
  let publishing = true
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }

  const publisher = (async () => {
    for (let sent = 0; runs.length < 60 || sent < 10_000; ) {
      for (let burst = random(60); burst > 0; burst--) journal.publish('ANN-RACE', { data: sent++ })
      await turn()
    }
    publishing = false
  })()
  const comers = clients.map(async (client, at) => {
    let last: number | undefined
    while (publishing) {
      client.messages.length = 0
      const resume = at > 0 && last !== undefined
      client.send({ op: 'subscribe', id: runs.length, channels: [channel], ...(resume && { from: last }) })
      const first = await client.next(({ type }) => type === (resume ? 'ack' : 'snapshot'))
      for (let waits = random(30); waits > 0; waits--) await turn()
      client.send({ op: 'unsubscribe', channels: [channel] })
      await client.next((m) => m.type === 'ack' && (m.data as { op: string }).op === 'unsubscribe')
      const got = seqs(client, channel)
      runs.push({ start: first.seq!, got })
      last = got.at(-1) ?? first.seq
    }
  })
  await Promise.all([publisher, ...comers])
  for (const { start, got } of runs) expect(got).toEqual(upTo(start, start + got.length))
  expect(runs.reduce((sum, { got }) => sum + got.length, 0)).toBeGreaterThan(5_000)
  for (const client of clients) client.socket.close()
})

test('a resume over a long journal goes out whole and in order while events go on, past what a subscription can hold', async () => {
  const channel = 'assessment:BOB-LONG'
  for (let at = 0; at < 30_000; at++) journal.publish('BOB-LONG', { data: 'x'.repeat(100) })
  const client = await open('bob')
  client.send({ op: 'subscribe', channels: [channel], from: 10 })
  for (let bursts = 0; bursts < 50; bursts++) {
    for (let at = 0; at < 40; at++) journal.publish('BOB-LONG', { data: bursts })
    await turn()
  }
  await until(() => seqs(client, channel).at(-1) === 32_000)
  expect(seqs(client, channel)).toEqual(upTo(10, 32_000))
  expect(client.messages.some(({ type }) => type === 'snapshot' || type === 'gap')).toBe(false)
  client.socket.close()
})

test('a resume inside the ring is exact; past it gap names the range and a snapshot follows', async () => {
  for (let at = 0; at < 2_000; at++) ring.publish('R', { data: at })
  const client = await open('ann')
  client.send({ op: 'subscribe', channels: ['ticks:R'], from: { 'ticks:R': 1_700 } })
  await until(() => seqs(client, 'ticks:R').at(-1) === 2_000)
  expect(seqs(client, 'ticks:R')).toEqual(upTo(1_700, 2_000))

  client.messages.length = 0
  client.send({ op: 'subscribe', channels: ['ticks:R'], from: 100 })
  await client.next(({ type }) => type === 'snapshot')
  ring.publish('R', { data: 'next' })
  await client.next(({ type }) => type === 'event')
  expect(client.messages.map(({ type, seq, data }) => [type, seq, data])).toEqual([
    ['ack', 2_000, expect.anything()],
    ['gap', 2_000, { from: 100, to: 2_000 }],
    ['snapshot', 2_000, { last: 2_000 }],
    ['event', 2_001, 'next'],
  ])
  client.socket.close()
})

test('a mark carries the last durable seq, passes the drop rule and never goes back in mseq', async () => {
  const client = await open('ann')
  client.send({ op: 'subscribe', channels: ['assessment:ann-marks'] })
  await client.next(({ type }) => type === 'snapshot')
  journal.publish('ANN-MARKS', { data: 'order' })
  journal.publish('ANN-MARKS', { kind: 'mark', seq: 1, mseq: 90, data: 'first' })
  journal.publish('ANN-MARKS', { kind: 'mark', seq: 1, mseq: 80, data: 'late' })
  journal.publish('ANN-MARKS', { kind: 'mark', seq: 1, mseq: 91, data: 'second' })
  journal.publish('ANN-MARKS', { data: 'fill' })
  await client.next(({ data }) => data === 'fill')
  const events = client.messages.filter(({ type }) => type === 'event')
  expect(events.map(({ kind, seq, mseq, data }) => [kind, seq, mseq, data])).toEqual([
    [undefined, 1, undefined, 'order'],
    ['mark', 1, 90, 'first'],
    ['mark', 1, 91, 'second'],
    [undefined, 2, undefined, 'fill'],
  ])
  client.socket.close()
})

test('one listener serves all subscribers of a channel and ends with the last of them', async () => {
  const [first, second] = await Promise.all([open('ann'), open('bob')])
  for (const client of [first, second]) {
    client.send({ op: 'subscribe', channels: ['ticks:one'] })
    await client.next(({ type }) => type === 'snapshot')
  }
  expect(ring.listeners('ONE')).toBe(1)
  first.send({ op: 'unsubscribe', id: 'u', channels: ['ticks:one'] })
  await first.next(({ id }) => id === 'u')
  ring.publish('ONE', { data: 1 })
  await second.next(({ type }) => type === 'event')
  expect(seqs(first, 'ticks:ONE')).toEqual([])
  second.socket.close()
  await until(() => ring.listeners('ONE') === 0)
  first.socket.close()
})

test("someone else's channel is refused with a code; one's own in the same operation is served", async () => {
  const client = await open('eve')
  client.send({ op: 'subscribe', id: 1, channels: ['assessment:ann-race', 'assessment:eve-1', 'nothing:x', 'ticks:?'] })
  await client.next(({ type }) => type === 'snapshot')
  await until(() => client.messages.filter(({ type }) => type === 'error').length === 3)
  const errors = client.messages.filter(({ type }) => type === 'error').map((m) => [m.id, m.channel, codeOf(m)])
  expect(errors.sort()).toEqual([
    [1, 'assessment:ann-race', 'forbidden'],
    [1, 'nothing:x', 'not_found'],
    [1, 'ticks:?', 'not_found'],
  ])
  expect(journal.listeners('ANN-RACE')).toBe(0)
  client.socket.close()
})

test('a message that is no operation gets an error and the connection goes on (V1.5.2)', async () => {
  const client = await open('ann')
  client.socket.send('{"op":')
  client.socket.send('{"op":"destroy"}')
  client.send({ op: 'subscribe', channels: [] })
  client.send({ op: 'ping', id: 'p' })
  await client.next(({ type, id }) => type === 'pong' && id === 'p')
  expect(client.messages.slice(0, 3).map(codeOf)).toEqual(['malformed_body', 'validation_failed', 'validation_failed'])
  client.socket.close()
})

test('bounds: message size, subscriptions of a connection, connections of a user', async () => {
  const clients = await Promise.all([1, 2, 3, 4].map(() => open('cat')))
  await expect(open('cat')).rejects.toThrow()
  const [first, second] = clients
  first!.send({ op: 'subscribe', channels: ['ticks:1', 'ticks:2', 'ticks:3', 'ticks:4'] })
  const refused = await first!.next(({ type }) => type === 'error')
  expect(codeOf(refused)).toBe('rate_limited')
  second!.socket.send(JSON.stringify({ op: 'ping', id: 'x'.repeat(70_000) }))
  expect((await second!.closed).code).toBeOneOf([1006, 1009])
  await until(() => seatsOf('cat') === 3)
  const again = await open('cat')
  for (const client of [...clients, again]) client.socket.close()
  await until(() => seatsOf('cat') === 0)
})

test('a client that piles up operations is closed with 4429', async () => {
  const client = await open('ann')
  for (let at = 0; at < 200; at++) client.send({ op: 'subscribe', channels: ['ticks:PILE'] })
  expect(await client.closed).toMatchObject({ code: 4429 })
})

test('a revoked session, key or user loses its connections with 4403, others stay', async () => {
  const [ann, bob] = await Promise.all([open('ann'), open('bob')])
  const { handle } = onIdentityRevoked(server.hub, 'one')
  const revoke = (data: object) => handle({ envelope: { data } } as Delivered)
  await revoke({ what: 'heartbeat', id: null, user_id: null })
  await revoke({ what: 'session', id: 'another', user_id: 'ann' })
  await revoke({ what: 'user', id: null, user_id: 'ann' })
  expect(await ann.closed).toMatchObject({ code: 4403 })
  await revoke({ what: 'session', id: 'session of bob', user_id: 'bob' })
  expect(await bob.closed).toMatchObject({ code: 4403 })
})

test('the metrics count connections, subscriptions, messages and delays', async () => {
  const client = await open('ann')
  client.send({ op: 'subscribe', channels: ['ticks:METRIC'] })
  await client.next(({ type }) => type === 'snapshot')
  ring.publish('METRIC', { data: 1 })
  await client.next(({ type }) => type === 'event')
  const text = await server.metrics.metrics()
  expect(text).toMatch(/^websocket_connections [1-9]/m)
  expect(text).toMatch(/^websocket_subscriptions\{channel="ticks"\} [1-9]/m)
  expect(text).toMatch(/^websocket_messages_out_total\{type="event"\} [1-9]/m)
  expect(text).toMatch(/^websocket_bytes_out_total [1-9]/m)
  expect(text).toMatch(/^websocket_delay_seconds_count\{from="event"\} [1-9]/m)
  client.socket.close()
})
