import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTopic } from '@assay/core/contracts/topics/topic'
import type { Db } from '@assay/core/ports/db/port'
import { KafkaConnection } from '@assay/core/ports/kafka/connection'
import { applyTopics, withDeadLetters } from '@assay/core/ports/kafka/topics'
import { z } from 'zod'
import { type Kafka, startKafka } from '../../scripts/stack/servers/kafka.ts'
import { type BenchServer, benchServer } from '../pg/server.ts'

const quiet = { warn: () => {} }
/** A fill of some 300 bytes. */
export const FILLED = defineTopic({
  name: 'bench.filled',
  summary: '',
  schema: z.object({ n: z.int(), order: z.string(), symbol: z.string(), price: z.string(), size: z.string() }),
  key: 'account',
  producer: 'bench',
  retentionDays: 1,
})
export const fillOf = (n: number) => ({
  n,
  order: `o${n}`.padEnd(36, '-'),
  symbol: 'BTC/USD',
  price: '61234.56',
  size: '0.0125',
})

export interface KafkaWorld {
  kafka: Kafka
  pg: BenchServer
  url: string
  db: Db
  brokers: string[]
  /** names of its own for a round, with the topic made */
  fresh(): Promise<{ connection: KafkaConnection; topic: string }>
  /** rows of the outbox: so many aggregates in turn */
  fill(rows: number, aggregates: number): Promise<void>
  close(): Promise<void>
}

/** A broker and a PostgreSQL of the bench's own, without TLS; commits wait for the disk. */
export async function kafkaWorld(): Promise<KafkaWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-kafka-'))
  const kafka = await startKafka({ folder })
  const pg = await benchServer()
  const { url, db } = await pg.database('kafka')
  await db.script('create table public.effect (account text primary key, n bigint not null)')
  const brokers = [kafka.address]
  let rounds = 0
  return {
    kafka,
    pg,
    url,
    db,
    brokers,
    async fresh() {
      const connection = new KafkaConnection({ brokers, clientId: 'bench', prefix: `r${++rounds}.` }, quiet)
      await applyTopics(
        connection,
        withDeadLetters([FILLED]).map((topic) => ({ ...topic, name: connection.named(topic.name) })),
      )
      return { connection, topic: connection.named(FILLED.name) }
    },
    async fill(rows, aggregates) {
      await db.script('truncate bus.outbox; truncate bus.inbox; truncate public.effect')
      await db.query(
        `insert into bus.outbox (aggregate, aggregate_seq, id, topic, key, producer, data)
         select 'account-' || n % $2, n / $2 + 1, gen_random_uuid(), $3, 'account-' || n % $2, 'bench',
           json_build_object('n', n, 'order', rpad('o' || n, 36, '-'), 'symbol', 'BTC/USD', 'price', '61234.56', 'size', '0.0125')
         from generate_series(0, $1::int - 1) n`,
        [rows, aggregates, FILLED.name],
      )
      await db.script('vacuum analyze bus.outbox')
    },
    async close() {
      await pg.close()
      await kafka.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Events in a topic. */
export async function eventsIn(connection: KafkaConnection, topic: string): Promise<number> {
  const admin = connection.kafka.admin()
  await admin.connect()
  const ends = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  return ends.reduce((sum, { high }) => sum + Number(high), 0)
}
