import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { z } from 'zod'
import { defineTopic } from '../../contracts/topics/topic.ts'
import { describeAdapters } from '../../testing/adapters.ts'
import { type TestDatabase, testDatabase } from '../../testing/database.ts'
import { dropTopics, testKafka } from '../../testing/kafka.ts'
import { until } from '../../testing/until.ts'
import { systemClock } from '../clock/system.ts'
import { openPglite } from '../db/pglite.ts'
import { applyTopics, withDeadLetters } from '../kafka/topics.ts'
import { type BusUnderTest, busContract } from './contract.ts'
import { createEmbeddedBus, type EmbeddedBus } from './embedded.ts'
import { KafkaBus } from './kafka.ts'
import type { Topic } from './port.ts'
import { RingLog } from './ring-log.ts'

const log = { error: () => {}, warn: () => {}, info: () => {} }

async function openEmbedded(topics: readonly Topic[]): Promise<BusUnderTest> {
  const { db: first, home, drop } = await testDatabase()
  let db = first
  const open = () => createEmbeddedBus({ db, clock: systemClock, log, topics })
  let bus = open()
  return {
    bus,
    async restart() {
      await bus.close()
      await db.close()
      db = await openPglite({ home, log })
      bus = open()
      return bus
    },
    async drop() {
      await bus.close()
      await db.close()
      await drop()
    },
  }
}
let suites = 0
async function openKafka(topics: readonly Topic[]): Promise<BusUnderTest> {
  const connection = testKafka(`bus-${++suites}`)
  const wanted = withDeadLetters(topics).map((topic) => ({ ...topic, name: connection.named(topic.name) }))
  await applyTopics(connection, wanted)
  const open = () => new KafkaBus({ connection, clock: systemClock, log, topics })
  let bus = open()
  return {
    bus,
    async restart() {
      await bus.close()
      bus = open()
      return bus
    },
    async drop() {
      await bus.close()
      await dropTopics(connection)
    },
  }
}
describeAdapters('bus', { embedded: openEmbedded, real: openKafka }, busContract)

describe('embedded bus', () => {
  const topic = defineTopic({
    name: 'test.kept',
    summary: '',
    schema: z.object({ n: z.int() }),
    key: 'k',
    producer: 'test',
    retentionDays: 1,
  })
  let database: TestDatabase
  let bus: EmbeddedBus
  beforeAll(async () => {
    database = await testDatabase()
    bus = createEmbeddedBus({ db: database.db, clock: systemClock, log, topics: [topic] })
  })
  afterAll(async () => {
    await bus.close()
    await database.drop()
  })
  const envelope = (n: number) => ({
    id: Bun.randomUUIDv7(),
    topic: topic.name,
    key: 'k',
    ts: new Date().toISOString(),
    producer: 'test',
    version: 1,
    trace: null,
    seq: n,
    data: { n },
  })
  const kept = async () =>
    (
      await database.db.query<{ n: number }>(`select (data->>'n')::int as n from bus.topic_event order by "offset"`)
    ).map(({ n }) => n)

  test('an event that is published again is in its topic once', async () => {
    const events = [envelope(1), envelope(2)]
    await bus.publishEnvelopes(events)
    await bus.publishEnvelopes([...events, envelope(3)])
    expect(await kept()).toEqual([1, 2, 3])
  })

  test('events leave when their topic does not keep them any longer, and consumers go on behind them', async () => {
    await database.db.query(`update bus.topic_event set ts = now() - interval '2 days' where seq < 3`)
    await bus.expire()
    expect(await kept()).toEqual([3])
    const seen: number[] = []
    const subscription = await bus.subscribe({ group: 'g', topics: [topic] }, async ({ envelope }) => {
      seen.push((envelope.data as { n: number }).n)
    })
    await until('the last one', () => seen.length === 1)
    await subscription.close()
  })

  test('a topic that is not in the catalog is refused by name', async () => {
    const unknown = await bus.publish({ ...topic, name: 'test.unknown' }, 'k', { n: 1 }).catch((error) => error)
    expect(unknown.message).toBe('There is no topic test.unknown.')
  })
})

test('a publisher of market events waits for the slowest group instead of dropping what it needs', async () => {
  const topic = defineTopic({
    name: 't',
    summary: '',
    schema: z.object({}),
    key: 'k',
    producer: 'test',
    partitions: 1,
    retentionDays: 1,
    durable: false,
  })
  const active = new Set(['slow'])
  const ring = new RingLog(
    () => topic,
    (group) => active.has(group),
    4,
  )
  const event = { id: '', topic: 't', key: 'k', ts: '', producer: '', version: 1, trace: null, seq: 0, data: {} }
  await ring.append(Array.from({ length: 10 }, () => event))
  expect(await ring.read('t', 0, 0, 100)).toHaveLength(4)
  await ring.commit('slow', 't', new Map([[0, 6]]))
  let published = false
  const publishing = ring.append([event]).then(() => {
    published = true
  })
  await Bun.sleep(0)
  expect(published).toBe(false)
  await ring.commit('slow', 't', new Map([[0, 7]]))
  await publishing
  expect((await ring.read('t', 0, 0, 100)).map(({ offset }) => offset)).toEqual([7, 8, 9, 10])

  const orphaned = ring.append([event])
  active.delete('slow')
  ring.resume()
  await orphaned
})
