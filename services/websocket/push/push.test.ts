import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect, until } from '../testing/client.ts'
import { startServer, type TestServer } from '../testing/server.ts'
import { testSource } from '../testing/sources.ts'
import type { ServerMessage } from './protocol.ts'

const journal = testSource({
  name: 'assessment',
  holds: Number.POSITIVE_INFINITY,
  owner: (key) => key.split('-')[0]!.toLowerCase(),
})
const ring = testSource({ name: 'ticks', holds: 50 })
let server: TestServer
beforeAll(() => {
  server = startServer({ sources: [journal, ring] })
})
afterAll(() => server.stop())

const open = (userId: string, options: Parameters<typeof connect>[1] = {}) =>
  connect(`ws://${server.host}/ws`, { ...options, protocols: ['bearer', server.token(userId)] })
const of = (channel: string) => (message: ServerMessage) => message.channel === channel

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
  await until(() => ring.listeners('A') === 0)
})
