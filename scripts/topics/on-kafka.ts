import { type DeadLetter, deadLetterOf, TOPICS } from '@assay/core/contracts/topics/catalog'
import { DAY_MS, type Topic } from '@assay/core/contracts/topics/topic'
import { type Config, readConfig } from '@assay/core/kernel/config'
import { catalogOf } from '@assay/core/kernel/messaging'
import { systemClock } from '@assay/core/ports/clock/system'
import { BatchingProducer } from '@assay/core/ports/kafka/batching-producer'
import type { KafkaConnection } from '@assay/core/ports/kafka/connection'
import { GroupOffsets } from '@assay/core/ports/kafka/group-offsets'
import { PartitionFetcher } from '@assay/core/ports/kafka/partition-fetcher'
import { applyTopics } from '@assay/core/ports/kafka/topics'
import { type LagLine, type Letter, REPLAYED, type TopicLine, type TopicsDesk } from './desk.ts'

interface Ends {
  partition: number
  low: number
  end: number
}

/** The topics of a Kafka cluster, asked for with the rights of the configured user. */
export class KafkaDesk implements TopicsDesk {
  readonly kind = 'kafka'
  private readonly admin
  private readonly offsets: GroupOffsets
  private readonly closing = new AbortController()

  private constructor(
    private readonly connection: KafkaConnection,
    private readonly config: Pick<Config, 'platform'>,
    private readonly topics: readonly Topic[],
  ) {
    this.admin = connection.kafka.admin()
    this.offsets = new GroupOffsets(connection, systemClock)
  }

  static async open(
    connection: KafkaConnection,
    config: Pick<Config, 'platform'> = readConfig({}),
    topics: readonly Topic[] = TOPICS,
  ): Promise<KafkaDesk> {
    const desk = new KafkaDesk(connection, config, topics)
    await desk.admin.connect()
    return desk
  }

  async list(): Promise<TopicLine[]> {
    const existing = await this.existing()
    const lines: TopicLine[] = []
    for (const topic of this.topics.filter(({ name }) => existing.has(this.connection.named(name)))) {
      const ends = await this.ends(topic.name)
      lines.push({
        topic: topic.name,
        partitions: ends.length,
        retentionDays: topic.retentionMs / DAY_MS,
        events: ends.reduce((sum, { low, end }) => sum + end - low, 0),
        deadLetters: (await this.unreplayed(topic, existing)).reduce((sum, { from, end }) => sum + end - from, 0),
      })
    }
    return lines
  }

  async lag(): Promise<LagLine[]> {
    const { groups } = await this.admin.listGroups()
    const prefix = this.connection.named('')
    const lines: LagLine[] = []
    for (const { groupId } of groups.filter((group) => group.groupId.startsWith(prefix))) {
      const group = groupId.slice(prefix.length)
      if (group === REPLAYED) continue
      for (const { topic, partitions } of await this.admin.fetchOffsets({ groupId })) {
        const known = new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)]))
        const ends = await this.ends(topic.slice(prefix.length))
        const lag = ends.reduce(
          (sum, { partition, low, end }) => sum + end - Math.max(low, known.get(partition) ?? low),
          0,
        )
        lines.push({ group, topic: topic.slice(prefix.length), lag })
      }
    }
    return lines.sort((a, b) => b.lag - a.lag || a.group.localeCompare(b.group))
  }

  async letters(): Promise<Letter[]> {
    const existing = await this.existing()
    const letters: Letter[] = []
    for (const topic of this.topics) {
      for (const { partition, from, end } of await this.unreplayed(topic, existing)) {
        if (from < end) letters.push(...(await this.read(topic, partition, from, end)))
      }
    }
    return letters
  }

  async replay(letters: readonly Letter[]): Promise<void> {
    const producer = new BatchingProducer(this.connection)
    try {
      for (const { topic, partition, offset, letter } of letters) {
        const envelope = letter.envelope as { key: string }
        await producer.send([
          { topic: this.connection.named(topic), key: envelope.key, value: JSON.stringify(envelope) },
        ])
        const name = deadLetterOf(this.topics.find((one) => one.name === topic)!).name
        await this.offsets.commit(REPLAYED, [{ topic: name, partitions: [{ partition, offset: offset + 1 }] }])
      }
    } finally {
      await producer.close()
    }
  }

  async apply(): Promise<string[]> {
    const { created, grown, changed, differing } = await applyTopics(
      this.connection,
      catalogOf(this.connection, this.config),
    )
    return [
      ...created.map((name) => `made ${name}`),
      ...grown.map((name) => `more partitions for ${name}`),
      ...changed.map((name) => `settings of ${name}`),
      ...differing.map((name) => `LEFT ALONE ${name}: it has another number of partitions, and keys would move`),
    ]
  }

  async close(): Promise<void> {
    this.closing.abort()
    await this.offsets.close()
    await this.admin.disconnect()
  }

  private async existing(): Promise<Set<string>> {
    return new Set(await this.admin.listTopics())
  }

  private async ends(name: string): Promise<Ends[]> {
    const offsets = await this.admin.fetchTopicOffsets(this.connection.named(name))
    return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), end: Number(high) }))
  }

  /** Where the letters that nobody has replayed begin and end. */
  private async unreplayed(topic: Topic, existing: ReadonlySet<string>) {
    const letters = deadLetterOf(topic) as Topic
    if (!existing.has(this.connection.named(letters.name))) return []
    const committed = await this.offsets.lag(REPLAYED, letters)
    return committed.map(({ partition, committed, end }) => ({ partition, from: committed, end }))
  }

  private async read(topic: Topic, partition: number, from: number, end: number): Promise<Letter[]> {
    const name = this.connection.named(deadLetterOf(topic).name)
    const fetcher = new PartitionFetcher(this.connection, name, partition, systemClock, this.closing.signal)
    const letters: Letter[] = []
    try {
      for (let next = from; next < end; ) {
        const records = await fetcher.fetch(next)
        for (const { offset, value } of records) {
          const letter = (JSON.parse(value) as { data: DeadLetter }).data
          letters.push({ topic: topic.name, partition, offset, letter })
        }
        next = (records.at(-1)?.offset ?? end - 1) + 1
      }
      return letters
    } finally {
      await fetcher.close()
    }
  }
}
