import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect, until } from '../testing/client.ts'
import { connectRaw, type RawClient } from '../testing/raw-client.ts'
import { startServer, type TestServer } from '../testing/server.ts'
import { testSource } from '../testing/sources.ts'

const source = testSource({ name: 'ticks', holds: 100 })
let server: TestServer
beforeAll(() => {
  server = startServer({ sources: [source], limits: { bufferedBytes: 256 * 1024 } })
})
afterAll(() => server.stop())

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const payload = 'x'.repeat(4_000)
/** Publishes into the channel until the kernel's buffers of whoever does not read are full, and some more. */
async function publishUntil(key: string, enough: () => boolean, conflate?: (at: number) => string): Promise<number> {
  let sent = 0
  while (!enough()) {
    for (let burst = 0; burst < 20; burst++) source.publish(key, { data: payload, conflate: conflate?.(sent++ % 3) })
    await turn()
  }
  return sent
}
async function stalledOn(channel: string): Promise<RawClient> {
  const client = await connectRaw(server.host, '/ws', server.token('slow'))
  client.send({ op: 'subscribe', channels: [channel] })
  await until(() => client.messages.some(({ type }) => type === 'snapshot'))
  client.pause()
  return client
}

test('a stalled client gets conflated events: seq rises, each key ends at its newest, skipped accounts for all others', async () => {
  const client = await stalledOn('ticks:CONF')
  const sent = await publishUntil(
    'CONF',
    () => server.hub.stats.conflated > 500,
    (key) => `key ${key}`,
  )
  client.resume()
  await until(() => client.messages.at(-1)?.seq === sent, 10_000)
  const events = client.messages.filter(({ type }) => type === 'event')
  const seqs = events.map(({ seq }) => seq!)
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
  expect(seqs.slice(-3)).toEqual([sent - 2, sent - 1, sent])
  const skipped = events.reduce((sum, event) => sum + (event.skipped ?? 0), 0)
  expect(skipped).toBeGreaterThan(500)
  expect(events.length + skipped).toBe(sent)
  source.publish('CONF', { data: 'after' })
  await until(() => client.messages.at(-1)?.data === 'after')
  client.destroy()
})

test('a stalled client with events that may not be dropped is closed with 4408 after what the socket took, without a hole', async () => {
  const client = await stalledOn('ticks:FULL')
  await publishUntil('FULL', () => source.listeners('FULL') === 0)
  client.resume()
  await until(() => client.close, 10_000)
  expect(client.close).toMatchObject({ code: 4408 })
  const seqs = client.messages.filter(({ type }) => type === 'event').map(({ seq }) => seq!)
  expect(seqs).toEqual(seqs.map((_, at) => at + 1))
  expect(await server.metrics.getSingleMetricAsString('websocket_closed_total')).toContain('code="4408"')
})

test('clients that read are not slowed by ones that do not', async () => {
  const delays: number[] = []
  const readers = await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      connect(`ws://${server.host}/ws`, {
        protocols: ['bearer', server.token(`user${at}`)],
        onMessage: ({ type, data }) =>
          type === 'event' && delays.push(performance.now() - Number(String(data).split(' ')[0])),
      }),
    ),
  )
  for (const reader of readers) {
    reader.send({ op: 'subscribe', channels: ['ticks:MIX'] })
    await reader.next(({ type }) => type === 'snapshot')
  }
  const stalled = await Promise.all([1, 2, 3, 4, 5].map(() => stalledOn('ticks:MIX')))
  const conflated = server.hub.stats.conflated
  let sent = 0
  for (; server.hub.stats.conflated - conflated < 5_000; sent++) {
    source.publish('MIX', { data: `${performance.now()} ${payload}`, conflate: 'quote' })
    await until(() => delays.length >= (sent - 5) * readers.length)
  }
  await until(() => delays.length === sent * readers.length)
  delays.sort((a, b) => a - b)
  expect(delays[Math.floor(delays.length * 0.95)]!).toBeLessThan(20)
  for (const client of stalled) client.destroy()
  for (const reader of readers) reader.socket.close()
}, 20_000)
