import type { Logger } from 'pino'
import { deadLetterOf, TOPICS } from '../../contracts/topics/catalog.ts'
import type { Clock } from '../clock/port.ts'
import { BatchingProducer } from '../kafka/batching-producer.ts'
import type { KafkaConnection } from '../kafka/connection.ts'
import { GroupOffsets } from '../kafka/group-offsets.ts'
import { deadLetter, type EnvelopeOptions, envelopeOf } from './envelope.ts'
import type { Stored } from './event-log.ts'
import { KafkaMember } from './kafka-member.ts'
import type { Bus, ConsumerOptions, Delivered, Envelope, Subscription, Topic } from './port.ts'

export interface KafkaBusOptions {
  connection: KafkaConnection
  clock: Clock
  log: Pick<Logger, 'error' | 'warn'>
  topics?: readonly Topic[]
}
/** The bus on Apache Kafka. Its topics are made by `applyTopics`; what is published waits for a broker that is away. */
export class KafkaBus implements Bus {
  private readonly topics: Map<string, Topic>
  private readonly producer: BatchingProducer
  private readonly offsets: GroupOffsets
  private readonly members = new Set<KafkaMember>()

  constructor(private readonly options: KafkaBusOptions) {
    const topics = (options.topics ?? TOPICS).flatMap((topic) => [topic, deadLetterOf(topic) as Topic])
    this.topics = new Map(topics.map((topic) => [topic.name, topic]))
    this.producer = new BatchingProducer(options.connection)
    this.offsets = new GroupOffsets(options.connection, options.clock)
  }

  async publish<T>(topic: Topic<T>, key: string, data: T, options: EnvelopeOptions = {}): Promise<void> {
    await this.publishEnvelopes([envelopeOf(topic, key, data, this.options.clock.now(), options)])
  }

  async publishEnvelopes(envelopes: readonly Envelope[]): Promise<void> {
    await this.publishFormed(
      envelopes.map((envelope) => {
        const data = this.topicOf(envelope.topic).schema.parse(envelope.data)
        return { topic: envelope.topic, key: envelope.key, text: JSON.stringify({ ...envelope, data }) }
      }),
    )
  }

  /** Publishes what the relay took from the outbox: it was checked when it was written there. */
  async publishFormed(events: readonly { topic: string; key: string; text: string }[]): Promise<void> {
    const { connection } = this.options
    await this.producer.send(
      events.map(({ topic, key, text }) => ({ topic: connection.named(this.topicOf(topic).name), key, value: text })),
    )
  }

  async subscribe(
    { group, topics, maxAttempts = 5, from = 'earliest' }: ConsumerOptions,
    handle: (message: Delivered) => Promise<void>,
  ): Promise<Subscription> {
    for (const { name } of topics) this.topicOf(name)
    await this.offsets.settleStart(group, topics, from)
    const { connection, clock, log } = this.options
    const member = new KafkaMember({
      connection,
      group,
      topics,
      from,
      maxAttempts,
      clock,
      logger: log,
      handle,
      bury: (topic, event, attempts, error) => this.bury(group, topic, event, attempts, error),
    })
    this.members.add(member)
    await member.start()
    return {
      close: async () => {
        if (this.members.delete(member)) await member.close()
      },
    }
  }

  lag(group: string, { name }: Topic): Promise<{ partition: number; committed: number; end: number }[]> {
    return this.offsets.lag(group, this.topicOf(name))
  }

  /** Of a group with a member here for this partition, or with no members at all. */
  async seek(group: string, { name }: Topic, partition: number, offset: number): Promise<void> {
    const member = [...this.members].find((one) => one.group === group && one.owns(name, partition))
    if (member) await member.seek(name, partition, offset)
    else await this.offsets.commit(group, [{ topic: name, partitions: [{ partition, offset }] }])
  }

  async close(): Promise<void> {
    await Promise.all([...this.members].map((member) => member.close()))
    this.members.clear()
    await this.producer.close()
    await this.offsets.close()
  }

  private async bury(group: string, topic: Topic, event: Stored, attempts: number, error: unknown) {
    const { key, trace } = event.envelope
    await this.publish(deadLetterOf(topic), key, deadLetter(group, event, attempts, error), { trace })
  }

  private topicOf(name: string): Topic {
    const topic = this.topics.get(name)
    if (!topic) throw new RangeError(`There is no topic ${name}.`)
    return topic
  }
}
