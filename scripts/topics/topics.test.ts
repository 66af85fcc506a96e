import { expect, test } from 'bun:test'
import { defineTopic } from '@assay/core/contracts/topics/topic'
import { startRelay } from '@assay/core/kernel/relay'
import { createEmbeddedBus } from '@assay/core/ports/bus/embedded'
import { KafkaBus } from '@assay/core/ports/bus/kafka'
import { type Bus, PoisonError } from '@assay/core/ports/bus/port'
import { systemClock } from '@assay/core/ports/clock/system'
import { applyTopics, withDeadLetters } from '@assay/core/ports/kafka/topics'
import { describeAdapters } from '@assay/core/testing/adapters'
import { testDatabase } from '@assay/core/testing/database'
import { dropTopics, testKafka } from '@assay/core/testing/kafka'
import { until } from '@assay/core/testing/until'
import { z } from 'zod'
import type { TopicsDesk } from './desk.ts'
import { EmbeddedDesk } from './embedded.ts'
import { KafkaDesk } from './on-kafka.ts'

const topic = defineTopic({
  name: 'test.cli',
  summary: '',
  schema: z.object({ n: z.int() }),
  key: 'k',
  producer: 'test',
  partitions: 3,
  retentionDays: 2,
})
const log = { error: () => {}, warn: () => {} }

interface World {
  bus: Bus
  desk: TopicsDesk
  drop(): Promise<void>
}
async function embedded(): Promise<World> {
  const database = await testDatabase()
  const { db } = database
  const bus = createEmbeddedBus({ db, clock: systemClock, log, topics: [topic] })
  const relay = startRelay({ db, bus, clock: systemClock, log, sole: true })
  return {
    bus,
    desk: new EmbeddedDesk(db, [topic]),
    async drop() {
      await relay.close()
      await bus.close()
      await database.drop()
    },
  }
}
async function real(): Promise<World> {
  const connection = testKafka('cli')
  const topics = withDeadLetters([topic]).map((one) => ({ ...one, name: connection.named(one.name) }))
  await applyTopics(connection, topics)
  const bus = new KafkaBus({ connection, clock: systemClock, log, topics: [topic] })
  const desk = await KafkaDesk.open(connection, undefined, [topic])
  return {
    bus,
    desk,
    async drop() {
      await desk.close()
      await bus.close()
      await dropTopics(connection)
    },
  }
}

describeAdapters('assay topics', { embedded, real }, (open) => {
  test('lists topics and lag, shows dead letters with their error, and replays them once under their own ids', async () => {
    const { bus, desk, drop } = await open()
    let broken = true
    const seen: { n: number; id: string }[] = []
    const consumer = await bus.subscribe({ group: 'g', topics: [topic] }, async ({ envelope }) => {
      const { n } = envelope.data as { n: number }
      if (broken && n === 2) throw new PoisonError('cannot be read')
      seen.push({ n, id: envelope.id })
    })
    const id = Bun.randomUUIDv7()
    await bus.publish(topic, 'k', { n: 1 })
    await bus.publish(topic, 'k', { n: 2 }, { id, seq: 2 })
    await until('the letter', async () => (await desk.letters()).length === 1)
    const [letter] = await desk.letters()
    expect(letter).toMatchObject({
      topic: topic.name,
      letter: { group: 'g', attempts: 1, error: 'Error: cannot be read', envelope: { id, seq: 2, data: { n: 2 } } },
    })
    expect(await desk.list()).toEqual([
      { topic: topic.name, partitions: 3, retentionDays: 2, events: 2, deadLetters: 1 },
    ])
    broken = false
    await desk.replay([letter!])
    await until('handled', () => seen.length === 2)
    expect(seen[1]).toEqual({ n: 2, id })
    expect(await desk.letters()).toEqual([])
    await until('no lag', async () =>
      (await desk.lag()).some((line) => line.group === 'g' && line.topic === topic.name && line.lag === 0),
    )
    await consumer.close()
    await bus.publish(topic, 'k', { n: 3 })
    await until('lag', async () => (await desk.lag()).some((line) => line.topic === topic.name && line.lag === 1))
    await drop()
  }, 20_000)
})
