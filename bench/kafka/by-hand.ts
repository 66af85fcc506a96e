import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs'
import pg from 'pg'

/** The same loop as an experienced hand writes it in kafkajs and pg: batched read, acks all, inbox and effect in a transaction. */
export const PEER = 'kafkajs 2.2.4 + pg 8.23.1 by hand'
const BATCH = 1_024
const CONCURRENT_PARTITIONS = 16

export const producerOf = async (brokers: string[]): Promise<Producer> => {
  const kafka = new Kafka({ clientId: 'by-hand', brokers, logLevel: logLevel.NOTHING })
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  return producer
}

interface Written {
  position: string
  key: string
  text: string
}
const READ = `select position, key, json_build_object('id', id, 'topic', topic, 'key', key, 'ts', ts, 'producer', producer,
    'version', version, 'trace', trace, 'seq', aggregate_seq, 'data', data)::text as text
  from bus.outbox order by position limit ${BATCH}`

/** Publishes the outbox until it is told to stop. */
export async function relayByHand(url: string, brokers: string[], topic: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const producer = await producerOf(brokers)
  let running = true
  const finished = (async () => {
    while (running) {
      const { rows } = await client.query<Written>(READ)
      if (rows.length === 0) {
        await Bun.sleep(5)
        continue
      }
      await producer.send({ topic, acks: -1, messages: rows.map(({ key, text }) => ({ key, value: text })) })
      await client.query('delete from bus.outbox where position = any($1::bigint[])', [rows.map((row) => row.position)])
    }
  })()
  return {
    async close() {
      running = false
      await finished
      await producer.disconnect()
      await client.end()
    },
  }
}

/** Runs the effect of each event once. */
export async function consumeByHand(
  { url, brokers, topic, connections }: { url: string; brokers: string[]; topic: string; connections: number },
  effect: { sql: string; done: (data: { n: number }) => void },
) {
  const pool = new pg.Pool({ connectionString: url, max: connections })
  const kafka = new Kafka({ clientId: 'by-hand', brokers, logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: `${topic}-by-hand`, maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
    eachBatchAutoResolve: false,
    async eachBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }) {
      for (const message of batch.messages) {
        if (!isRunning() || isStale()) return
        const event = JSON.parse(message.value!.toString())
        const client = await pool.connect()
        let ran = false
        try {
          await client.query('begin')
          const inbox = 'insert into bus.inbox ("group", id) values ($1, $2) on conflict do nothing returning id'
          const { rowCount } = await client.query(inbox, ['by-hand', event.id])
          ran = rowCount === 1
          if (ran) await client.query(effect.sql, [event.key])
          await client.query('commit')
        } finally {
          client.release()
        }
        if (ran) effect.done(event.data)
        resolveOffset(message.offset)
        await heartbeat()
      }
    },
  })
  return {
    async close() {
      await consumer.disconnect()
      await pool.end()
    },
  }
}
