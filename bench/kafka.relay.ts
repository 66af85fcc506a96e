/**
 * `kafka.relay`: events/s of the outbox relay alone, from rows in PostgreSQL to acknowledged by all and deleted, beside
 * kafkajs that only sends the same bytes (keyed, idempotent, acks all, 1,024 a request). `kafka.relay_tool`: beside
 * Kafka's own performance tool with records of the same size. No TLS anywhere. Interleaved rounds, medians; the events
 * in the topic and the rows left are counted after each.
 */
import { startRelay } from '@assay/core/kernel/relay'
import { KafkaBus } from '@assay/core/ports/bus/kafka'
import { systemClock } from '@assay/core/ports/clock/system'
import { type Figure, figureOf, median } from './figure.ts'
import { producerOf } from './kafka/by-hand.ts'
import { eventsIn, FILLED, fillOf, type KafkaWorld, kafkaWorld } from './kafka/world.ts'

export const summary = 'the outbox relay alone, beside bare kafkajs'

export interface RelayBenchOptions {
  rounds?: number
  events?: number
  aggregates?: number
}
const PER_REQUEST = 1_024
const log = { error: console.error, warn: () => {} }

export async function run({
  rounds = 5,
  events = 50_000,
  aggregates = 4_000,
}: RelayBenchOptions = {}): Promise<Figure[]> {
  const world = await kafkaWorld()
  try {
    const ours: number[] = []
    const bare: number[] = []
    const tool: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const rates = [
        await relay(world, events, aggregates),
        await produce(world, events, aggregates),
        await ownTool(world, events),
      ]
      // the first round warms all of them up
      if (round > 0) for (const [i, into] of [ours, bare, tool].entries()) into.push(rates[i]!)
    }
    const about = { unit: 'events/s', better: 'higher' as const, ours: median(ours), samples: rounds }
    const version = world.kafka.version
    return [
      figureOf({
        figure: 'kafka.relay',
        ...about,
        peer: { name: `kafkajs 2.2.4 produces only, Kafka ${version}, no TLS`, value: median(bare) },
      }),
      figureOf({
        figure: 'kafka.relay_tool',
        ...about,
        peer: { name: `ProducerPerformance ${version}, acks all, no TLS`, value: median(tool) },
      }),
    ]
  } finally {
    await world.close()
  }
}

async function relay(world: KafkaWorld, events: number, aggregates: number): Promise<number> {
  const { connection, topic } = await world.fresh()
  await world.fill(events, aggregates)
  const bus = new KafkaBus({ connection, clock: systemClock, log, topics: [FILLED] })
  const started = performance.now()
  const running = startRelay({ db: world.db, bus, clock: systemClock, log })
  await running.drained()
  const seconds = (performance.now() - started) / 1000
  await running.close()
  await bus.close()
  await counted(await eventsIn(connection, topic), events)
  await counted((await world.db.query('select from bus.outbox')).length, 0)
  return events / seconds
}

async function produce(world: KafkaWorld, events: number, aggregates: number): Promise<number> {
  const { connection, topic } = await world.fresh()
  const messages = Array.from({ length: events }, (_, n) => ({
    key: `account-${n % aggregates}`,
    value: envelopeText(n, aggregates),
  }))
  const producer = await producerOf(world.brokers)
  const started = performance.now()
  for (let at = 0; at < events; at += PER_REQUEST)
    await producer.send({ topic, acks: -1, messages: messages.slice(at, at + PER_REQUEST) })
  const seconds = (performance.now() - started) / 1000
  await producer.disconnect()
  await counted(await eventsIn(connection, topic), events)
  return events / seconds
}

const envelopeText = (n: number, aggregates: number): string =>
  JSON.stringify({
    id: crypto.randomUUID(),
    topic: FILLED.name,
    key: `account-${n % aggregates}`,
    ts: new Date().toISOString(),
    producer: 'bench',
    version: 1,
    trace: null,
    seq: Math.floor(n / aggregates) + 1,
    data: fillOf(n),
  })

async function ownTool({ kafka, brokers, fresh }: KafkaWorld, events: number): Promise<number> {
  const { topic } = await fresh()
  const size = String(envelopeText(1, 1000).length)
  const call = ['--topic', topic, '--num-records', String(events), '--record-size', size, '--throughput', '-1']
  const settings = [
    '--bootstrap-server',
    brokers[0]!,
    '--command-property',
    'acks=-1',
    'linger.ms=5',
    'batch.size=131072',
  ]
  const child = Bun.spawn([...kafka.java, 'org.apache.kafka.tools.ProducerPerformance', ...call, ...settings], {
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = await new Response(child.stdout).text()
  const rate = Number(/([\d.]+) records\/sec.*99th/.exec(said)?.[1])
  if ((await child.exited) !== 0 || !rate)
    throw new Error(`ProducerPerformance: ${said} ${await new Response(child.stderr).text()}`)
  return rate
}

async function counted(found: number, wanted: number): Promise<void> {
  if (found !== wanted) throw new Error(`${found} where there should be ${wanted}`)
}
