/**
 * `kafka.outbox`: events/s from rows of the outbox through Kafka to an effect in SQL, inbox row and effect in one
 * transaction, beside the same loop written by hand. `kafka.outbox_p99`: ms from the commit of the event to the commit
 * of its effect, at a steady rate. No TLS anywhere; both sides have as many connections. Interleaved rounds, medians;
 * effects are counted by a reader outside.
 */
import { onceInSql } from '@assay/core/kernel/inbox'
import { enqueue } from '@assay/core/kernel/outbox'
import { startRelay } from '@assay/core/kernel/relay'
import { KafkaBus } from '@assay/core/ports/bus/kafka'
import { systemClock } from '@assay/core/ports/clock/system'
import { type Figure, figureOf, median } from './figure.ts'
import { consumeByHand, PEER, relayByHand } from './kafka/by-hand.ts'
import { FILLED, fillOf, type KafkaWorld, kafkaWorld } from './kafka/world.ts'
import { Latencies } from './measure/latencies.ts'

export const summary = 'outbox to Kafka to effect, beside the same loop by hand'

export interface OutboxBenchOptions {
  rounds?: number
  events?: number
  aggregates?: number
  /** of the steady load, for the percentiles */
  ratePerS?: number
  steadyMs?: number
}
const log = { error: console.error, warn: () => {} }
const EFFECT = `insert into public.effect values ($1, 1) on conflict (account) do update set n = public.effect.n + 1`
/** connections of the pool of one role, as the platform has them by default */
const CONNECTIONS = 4

interface Loop {
  close(): Promise<void>
}
type Start = (world: KafkaWorld, done: (n: number) => void) => Promise<Loop>

export async function run({
  rounds = 5,
  events = 4_000,
  aggregates = 500,
  ratePerS = 200,
  steadyMs = 20_000,
}: OutboxBenchOptions = {}): Promise<Figure[]> {
  const world = await kafkaWorld()
  try {
    const rates: [number[], number[]] = [[], []]
    for (let round = 0; round <= rounds; round++) {
      const both = [await burst(world, ours, events, aggregates), await burst(world, byHand, events, aggregates)]
      if (round > 0) for (const [i, rate] of both.entries()) rates[i]!.push(rate)
    }
    const [mine, its] = [await steady(world, ours, ratePerS, steadyMs), await steady(world, byHand, ratePerS, steadyMs)]
    const name = `${PEER}, no TLS, ${world.pg.version}`
    return [
      figureOf({
        figure: 'kafka.outbox',
        unit: 'events/s',
        better: 'higher',
        ours: median(rates[0]),
        samples: rounds,
        peer: { name, value: median(rates[1]) },
      }),
      ...[0.5, 0.99].map((share) =>
        figureOf({
          figure: `kafka.outbox_p${share * 100}`,
          unit: 'ms',
          better: 'lower',
          ours: mine.at(share),
          samples: mine.count,
          peer: { name: `${name}, ${ratePerS}/s`, value: its.at(share) },
        }),
      ),
    ]
  } finally {
    await world.close()
  }
}

const ours: Start = async ({ db, fresh }, done) => {
  const { connection } = await fresh()
  const bus = new KafkaBus({ connection, clock: systemClock, log, topics: [FILLED] })
  await bus.subscribe({ group: 'bench', topics: [FILLED] }, async ({ envelope }) => {
    const ran = await onceInSql(db, { group: 'bench', id: envelope.id }, async (sql) => {
      await sql.query(EFFECT, [envelope.key])
    })
    if (ran) done((envelope.data as { n: number }).n)
  })
  const relay = startRelay({ db, bus, clock: systemClock, log })
  return {
    async close() {
      await relay.close()
      await bus.close()
    },
  }
}
const byHand: Start = async ({ url, brokers, fresh }, done) => {
  const { topic } = await fresh()
  const consumer = await consumeByHand(
    { url, brokers, topic, connections: CONNECTIONS },
    { sql: EFFECT, done: ({ n }) => done(n) },
  )
  const relay = await relayByHand(url, brokers, topic)
  return {
    async close() {
      await relay.close()
      await consumer.close()
    },
  }
}

async function burst(world: KafkaWorld, start: Start, events: number, aggregates: number): Promise<number> {
  await world.fill(events, aggregates)
  const all = Promise.withResolvers<void>()
  let seen = 0
  let first = 0
  const loop = await start(world, () => {
    if (seen === 0) first = performance.now()
    if (++seen === events) all.resolve()
  })
  await all.promise
  const seconds = (performance.now() - first) / 1000
  await loop.close()
  await audited(world, events)
  return (events - 1) / seconds
}

/** An open loop: an event each 1/rate s, whatever became of those before. */
async function steady(world: KafkaWorld, start: Start, ratePerS: number, ms: number): Promise<Latencies> {
  await world.fill(0, 1)
  const latencies = new Latencies()
  const committed: number[] = []
  const all = Promise.withResolvers<void>()
  const events = Math.round((ratePerS * ms) / 1000)
  const loop = await start(world, (n) => {
    latencies.add(performance.now() - (committed[n] ?? performance.now()))
    if (latencies.count === events) all.resolve()
  })
  const writes: Promise<void>[] = []
  const began = performance.now()
  for (let n = 0; n < events; n++) {
    const wait = began + (n * 1000) / ratePerS - performance.now()
    if (wait > 0) await Bun.sleep(wait)
    const event = { aggregate: `a${n}`, seq: 1, key: `account-${n % 100}`, data: fillOf(n) }
    writes.push(
      world.db
        .tx((sql) => enqueue(sql, FILLED, event))
        .then(() => {
          committed[n] = performance.now()
        }),
    )
  }
  await Promise.all(writes)
  await all.promise
  await loop.close()
  await audited(world, events)
  return latencies
}

async function audited({ db }: KafkaWorld, events: number): Promise<void> {
  const [row] = await db.query(
    'select coalesce(sum(n), 0)::int as n, (select count(*)::int from bus.inbox) as inbox from public.effect',
  )
  if (row!.n !== events || row!.inbox !== events)
    throw new Error(`${row!.n} effects, ${row!.inbox} in the inbox, of ${events}`)
}
