import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Topic } from '@assay/core/contracts/topics/topic'
import { orderCancelled } from '@assay/core/contracts/topics/trading'
import { readConfig } from '@assay/core/kernel/config'
import { catalogOf } from '@assay/core/kernel/messaging'
import { systemClock } from '@assay/core/ports/clock/system'
import type { KafkaConnection } from '@assay/core/ports/kafka/connection'
import { GroupOffsets } from '@assay/core/ports/kafka/group-offsets'
import { PartitionFetcher } from '@assay/core/ports/kafka/partition-fetcher'
import { applyTopics } from '@assay/core/ports/kafka/topics'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { describeKafka, dropTopics, testKafka } from '@assay/core/testing/kafka'
import { moveTopics } from './move-topics.ts'

setDefaultTimeout(120_000)
const TOPIC = orderCancelled as unknown as Topic
const KEYS = 40
const EVENTS = 600

/** An event as it lies in Kafka. */
interface Held {
  id: string
  key: string
  seq: number
  partition: number
  offset: number
}

describeKafka('moving topics', () => {
  let connection: KafkaConnection
  let database: TestDatabase
  beforeAll(async () => {
    connection = testKafka('move-topics')
    database = await testDatabase()
    await applyTopics(connection, catalogOf(connection, readConfig({})))
    // a key lies in one partition of the table, which Kafka cuts otherwise
    await database.db.query(
      `insert into bus.topic_event (topic, partition, "offset", id, key, producer, version, seq, ts, data)
       select $1, p, row_number() over (partition by p order by n) - 1, gen_random_uuid(), 'key-' || k, 'trading', 1,
         n, now() - interval '1 day', json_build_object('n', n)
       from (select n, n % $2 as k, (n % $2) % 12 as p from generate_series(1, $3::int) n) e`,
      [TOPIC.name, KEYS, EVENTS],
    )
    await database.db.query(
      `insert into bus.topic_partition select topic, partition, count(*) from bus.topic_event group by 1, 2`,
    )
    // neither of the last two is simply behind the other
    for (const [group, committed] of [
      ['none', '0'],
      ['all', 'count(*)'],
      ['even', 'count(*) * (1 - partition % 2)'],
      ['half', 'count(*) / 2'],
    ])
      await database.db.query(
        `insert into bus.group_offset select $1, topic, partition, ${committed} from bus.topic_event group by 2, 3`,
        [group!],
      )
  })
  afterAll(async () => {
    await dropTopics(connection)
    await database.drop()
  })

  const read = async (): Promise<Held[]> => {
    const held: Held[] = []
    for (let partition = 0; partition < TOPIC.partitions; partition++) {
      const name = connection.named(TOPIC.name)
      const fetcher = new PartitionFetcher(connection, name, partition, systemClock, AbortSignal.timeout(30_000))
      const { low, end } = await fetcher.bounds()
      for (let next = low; next < end; )
        for (const { offset, value } of await fetcher.fetch(next)) {
          held.push({ ...(JSON.parse(value) as Held), partition, offset })
          next = offset + 1
        }
      await fetcher.close()
    }
    return held
  }
  /** Ids that a group has handled, by its offsets in the table. */
  const handled = async (group: string): Promise<Set<string>> => {
    const rows = await database.db.query<{ id: string }>(
      `select id from bus.topic_event e join bus.group_offset o using (topic, partition)
       where o."group" = $1 and e."offset" < o.committed`,
      [group],
    )
    return new Set(rows.map(({ id }) => id))
  }

  test.each(['at first', 'again after an interruption'])(
    'every event is there once, in the order of its key, and no group has one behind it that it did not handle: %s',
    async () => {
      const said: string[] = []
      await moveTopics(database.db, connection, (_, line) => said.push(line))
      const held = await read()
      expect(held.length).toBe(EVENTS)
      expect(new Set(held.map(({ id }) => id)).size).toBe(EVENTS)
      for (const events of Map.groupBy(held, ({ key }) => key).values()) {
        expect(new Set(events.map(({ partition }) => partition)).size).toBe(1)
        const seqs = events.map(({ seq }) => seq)
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
      }
      const offsets = new GroupOffsets(connection, systemClock)
      let repeats = 0
      for (const group of ['none', 'all', 'even', 'half']) {
        const known = await handled(group)
        const committed = new Map((await offsets.lag(group, TOPIC)).map((one) => [one.partition, one.committed]))
        const isBehind = ({ partition, offset }: Held) => offset < committed.get(partition)!
        expect(held.filter((event) => isBehind(event) && !known.has(event.id))).toEqual([])
        const again = held.filter((event) => !isBehind(event) && known.has(event.id)).length
        if (group === 'none' || group === 'all') expect([group, again]).toEqual([group, 0])
        repeats += again
      }
      await offsets.close()
      expect(repeats).toBeGreaterThan(0)
      expect(said.join('\n')).toContain(`${repeats} come again`)
    },
  )
  test('events of a topic that this release does not know stop the move', async () => {
    await database.db.query(`update bus.topic_event set topic = 'no.such' where topic = $1 and "offset" = 0`, [
      TOPIC.name,
    ])
    // bun's `rejects` starves the database's sockets
    const said = await moveTopics(database.db, connection, () => {}).then(() => 'moved', String)
    expect(said).toContain('no.such')
  })
})
