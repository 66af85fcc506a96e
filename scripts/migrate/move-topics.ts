import { createHash } from 'node:crypto'
import { TOPICS } from '@assay/core/contracts/topics/catalog'
import { marketSequenced } from '@assay/core/contracts/topics/market-data'
import type { Topic } from '@assay/core/contracts/topics/topic'
import { systemClock } from '@assay/core/ports/clock/system'
import type { Db, Row, Sql } from '@assay/core/ports/db/port'
import { BatchingProducer, type Outgoing } from '@assay/core/ports/kafka/batching-producer'
import type { KafkaConnection } from '@assay/core/ports/kafka/connection'
import { GroupOffsets } from '@assay/core/ports/kafka/group-offsets'
import { PartitionFetcher } from '@assay/core/ports/kafka/partition-fetcher'
import { patiently } from '@assay/core/ports/kafka/patiently'
import { withDeadLetters } from '@assay/core/ports/kafka/topics'
import { counted, MigrateError, type Say } from './step.ts'

const BATCH = 1_000
const PATIENCE_MS = 60_000
/** The bus in the database; Kafka holds all of it. */
export const BUS_TABLES = ['bus.topic_event', 'bus.topic_partition', 'bus.group_offset']

/** The market log is no topic of the bus. */
const durableTopics = (): Topic[] =>
  withDeadLetters(TOPICS.filter(({ name }) => name !== marketSequenced.name)).filter(({ durable }) => durable)

interface Bounds {
  partition: number
  low: number
  end: number
}
/** Records that an earlier try has left, or somebody else. */
export class TopicsDesk {
  private constructor(private readonly admin: ReturnType<KafkaConnection['kafka']['admin']>) {}

  static async open(connection: KafkaConnection): Promise<TopicsDesk> {
    const admin = connection.kafka.admin()
    await admin.connect()
    return new TopicsDesk(admin)
  }
  async existing(): Promise<Set<string>> {
    return new Set(await this.ask(() => this.admin.listTopics()))
  }
  async bounds(name: string): Promise<Bounds[]> {
    const offsets = await this.ask(() => this.admin.fetchTopicOffsets(name))
    return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), end: Number(high) }))
  }
  async empty(name: string): Promise<void> {
    const filled = (await this.bounds(name)).filter(({ low, end }) => end > low)
    if (filled.length === 0) return
    const partitions = filled.map(({ partition }) => ({ partition, offset: '-1' }))
    await this.ask(() => this.admin.deleteTopicRecords({ topic: name, partitions }))
  }
  /** A topic that was just made has no leader yet. */
  private ask<T>(question: () => Promise<T>): Promise<T> {
    return patiently(systemClock, AbortSignal.timeout(PATIENCE_MS), question)
  }
  close = (): Promise<void> => this.admin.disconnect()
}

/** Names of ours on the cluster that hold records. */
export async function filledTopics(desk: TopicsDesk, names: readonly string[]): Promise<string[]> {
  const existing = await desk.existing()
  const filled: string[] = []
  for (const name of names.filter((one) => existing.has(one)))
    if ((await desk.bounds(name)).some(({ low, end }) => end > low)) filled.push(name)
  return filled
}

/**
 * Durable topics and the offsets of their groups. The cluster's partitions are cut by another hash than the table's, so
 * events go there in an order that keeps each key's, those first that most groups have handled: what a group has not
 * handled stands behind its offset, and where groups are not behind each other it meets a handled one again, by its id.
 */
export async function moveTopics(source: Db, connection: KafkaConnection, say: Say): Promise<void> {
  const desk = await TopicsDesk.open(connection)
  const producer = new BatchingProducer(connection)
  const offsets = new GroupOffsets(connection, systemClock)
  try {
    const known = durableTopics()
    await refuseUnknown(source, known)
    let events = 0
    for (const topic of known) {
      const name = connection.named(topic.name)
      await desk.empty(name)
      const sent = await source.tx((sql) => publish(sql, topic.name, name, producer))
      const unhandled = await unhandledOf(source, topic.name)
      const read = await readBack(connection, await desk.bounds(name), name, unhandled)
      if (read.hash !== sent.hash || read.count !== sent.count)
        throw new MigrateError(`${name} does not hold what was published: ${read.count} of ${sent.count} events`)
      let repeats = 0
      for (const [group, place] of read.groups) {
        const partitions = [...place.starts].map(([partition, offset]) => ({ partition, offset }))
        await offsets.commit(group, [{ topic: topic.name, partitions }])
        repeats += place.repeats
      }
      events += sent.count
      if (sent.count === 0) continue
      const waiting = [...unhandled.values()].reduce((sum, ids) => sum + ids.size, 0)
      say(
        'kafka',
        `${topic.name.padEnd(28)} ${counted(sent.count, 'event').padStart(14)}  ${sent.hash.slice(0, 16)}  same; ${counted(read.groups.size, 'group')}, ${waiting} not handled yet${repeats > 0 ? `, ${repeats} come again` : ''}`,
      )
    }
    say('kafka', `${counted(known.length, 'topic')}, ${counted(events, 'event')}`)
  } finally {
    await producer.close()
    await offsets.close()
    await desk.close()
  }
}

async function refuseUnknown(source: Db, known: readonly Topic[]): Promise<void> {
  const rows = await source.query<{ topic: string }>(
    'select distinct topic from bus.topic_event where topic <> all($1)',
    [known.map(({ name }) => name)],
  )
  if (rows.length > 0)
    throw new MigrateError(
      `events of topics that this release does not know: ${rows.map(({ topic }) => topic).join(', ')}`,
    )
}

interface Sum {
  count: number
  hash: string
}
/** Exclusive or of the SHA-256 of every event. */
class Sums {
  private sum = Buffer.alloc(32)
  private count = 0
  add(text: string): void {
    const hash = createHash('sha256').update(text).digest()
    for (let i = 0; i < 32; i++) this.sum[i]! ^= hash[i]!
    this.count++
  }
  told = (): Sum => ({ count: this.count, hash: this.sum.toString('hex') })
}

async function publish(sql: Sql, topic: string, name: string, producer: BatchingProducer): Promise<Sum> {
  const sums = new Sums()
  const cursor = `topic_${topic.replace(/[^a-z]/g, '_')}`
  await sql.query(
    `declare ${cursor} no scroll cursor for
     select e.id, e.key, e.producer, e.version, e.trace, e.seq, e.ts, e.data::text as data
     from bus.topic_event e where e.topic = '${topic}'
     order by (select count(*) from bus.group_offset o
       where o.topic = e.topic and o.partition = e.partition and o.committed > e."offset") desc, e.partition, e."offset"`,
  )
  for (;;) {
    const rows = await sql.query(`fetch ${BATCH} from ${cursor}`)
    if (rows.length === 0) break
    const messages = rows.map((row) => messageOf(row, topic, name))
    for (const { value } of messages) sums.add(value)
    await producer.send(messages)
  }
  await sql.query(`close ${cursor}`)
  return sums.told()
}

/** As the relay writes it; it is kept from when it happened on. */
function messageOf(row: Row, topic: string, name: string): Outgoing {
  const { id, producer, version, seq, data } = row
  const ts = row.ts as Date
  const key = row.key as string
  const value = `{"id":"${id}","topic":"${topic}","key":${JSON.stringify(key)},"ts":"${ts.toISOString()}","producer":"${producer}","version":${version},"trace":${JSON.stringify(row.trace)},"seq":${seq},"data":${data}}`
  return { topic: name, key, value, timestamp: String(ts.getTime()) }
}

/** By group: the ids of the events that it has not handled. */
async function unhandledOf(source: Db, topic: string): Promise<Map<string, Set<string>>> {
  const groups = await source.query<{ group: string }>(
    'select distinct "group" from bus.group_offset where topic = $1',
    [topic],
  )
  const rows = await source.query<{ group: string; id: string }>(
    `select g."group", e.id from (select distinct "group" from bus.group_offset where topic = $1) g
     cross join bus.topic_event e left join bus.group_offset o
       on o."group" = g."group" and o.topic = e.topic and o.partition = e.partition
     where e.topic = $1 and e."offset" >= coalesce(o.committed, 0)`,
    [topic],
  )
  const found = new Map(groups.map(({ group }) => [group, new Set<string>()]))
  for (const { group, id } of rows) found.get(group)!.add(id)
  return found
}

interface Place {
  /** by partition, where the group goes on */
  starts: Map<number, number>
  /** handled ones that stand behind */
  repeats: number
}
async function readBack(
  connection: KafkaConnection,
  bounds: readonly Bounds[],
  name: string,
  unhandled: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Sum & { groups: Map<string, Place> }> {
  const sums = new Sums()
  const groups = new Map(
    [...unhandled.keys()].map((group) => [group, { starts: new Map<number, number>(), repeats: 0 }]),
  )
  for (const { partition, low, end } of bounds) {
    const fetcher = new PartitionFetcher(connection, name, partition, systemClock, new AbortController().signal)
    try {
      for (let next = low; next < end; ) {
        for (const { offset, value } of await fetcher.fetch(next)) {
          sums.add(value)
          next = offset + 1
          const { id } = JSON.parse(value) as { id: string }
          for (const [group, place] of groups) {
            const isHandled = !unhandled.get(group)!.has(id)
            if (!isHandled && !place.starts.has(partition)) place.starts.set(partition, offset)
            else if (isHandled && place.starts.has(partition)) place.repeats++
          }
        }
      }
    } finally {
      await fetcher.close()
    }
    for (const { starts } of groups.values()) if (!starts.has(partition)) starts.set(partition, end)
  }
  return { ...sums.told(), groups }
}
