import type { Logger } from 'pino'
import { deadLetterOf, TOPICS } from '../../contracts/topics/catalog.ts'
import type { Clock } from '../clock/port.ts'
import type { Db } from '../db/port.ts'
import { ConsumerGroup, type Member } from './consumer-group.ts'
import { deadLetter, type EnvelopeOptions, envelopeOf } from './envelope.ts'
import type { EventLog, Stored } from './event-log.ts'
import { PartitionReader } from './partition-reader.ts'
import type { Bus, ConsumerOptions, Delivered, Envelope, Subscription, Topic } from './port.ts'
import { RingLog } from './ring-log.ts'
import { TableLog } from './table-log.ts'

export interface EmbeddedBusOptions {
  db: Db
  clock: Clock
  log: Pick<Logger, 'error' | 'warn'>
  topics?: readonly Topic[]
}

/** The bus of one process: durable topics in its database, market topics in memory. */
export function createEmbeddedBus(options: EmbeddedBusOptions): EmbeddedBus {
  return new EmbeddedBus(options)
}

export class EmbeddedBus implements Bus {
  private readonly topics: Map<string, Topic>
  private readonly tables: TableLog
  private readonly rings: RingLog
  private readonly groups = new Map<string, ConsumerGroup>()
  private readonly subscriptions = new Set<Subscription>()

  constructor(private readonly options: EmbeddedBusOptions) {
    const topics = (options.topics ?? TOPICS).flatMap((topic) => [topic, deadLetterOf(topic) as Topic])
    this.topics = new Map(topics.map((topic) => [topic.name, topic]))
    this.tables = new TableLog(
      options.db,
      topics.filter(({ durable }) => durable),
      (name) => this.topicOf(name),
    )
    this.rings = new RingLog(
      (name) => this.topicOf(name),
      (group) => this.groups.get(group)?.active === true,
    )
  }

  async publish<T>(topic: Topic<T>, key: string, data: T, options: EnvelopeOptions = {}): Promise<void> {
    await this.publishEnvelopes([envelopeOf(topic, key, data, this.options.clock.now(), options)])
  }

  async publishEnvelopes(envelopes: readonly Envelope[]): Promise<void> {
    const checked = envelopes.map((envelope) => ({
      ...envelope,
      data: this.topicOf(envelope.topic).schema.parse(envelope.data),
    }))
    for (const log of [this.tables, this.rings]) {
      const own = checked.filter(({ topic }) => this.logOf(topic) === log)
      if (own.length === 0) continue
      await log.append(own)
      for (const name of new Set(own.map(({ topic }) => topic))) this.wake(this.topicOf(name))
    }
  }

  /** Publishes these rows of the outbox without reading them out of the database. */
  async publishOutbox(positions: readonly string[]): Promise<void> {
    for (const partition of await this.tables.moveOutbox(positions)) {
      for (const group of this.groups.values()) group.notify(partition)
    }
  }

  async subscribe(
    { group: name, topics, maxAttempts = 5, from = 'earliest' }: ConsumerOptions,
    handle: (message: Delivered) => Promise<void>,
  ): Promise<Subscription> {
    for (const topic of topics) await this.settleStart(name, this.topicOf(topic.name), from)
    const group =
      this.groups.get(name) ??
      new ConsumerGroup((topic, partitions, member) => this.read(name, topic, partitions, member))
    this.groups.set(name, group)
    const member: Member = { topics, maxAttempts, handle }
    const subscription: Subscription = {
      close: async () => {
        if (!this.subscriptions.delete(subscription)) return
        await group.leave(member)
        this.rings.resume()
      },
    }
    this.subscriptions.add(subscription)
    await group.join(member)
    return subscription
  }

  async lag(group: string, { name }: Topic): Promise<{ partition: number; committed: number; end: number }[]> {
    const log = this.logOf(name)
    const committed = await log.committed(group, name)
    return Promise.all(
      Array.from({ length: this.topicOf(name).partitions }, async (_, partition) => ({
        partition,
        committed: committed.get(partition) ?? 0,
        end: await log.end(name, partition),
      })),
    )
  }

  async seek(group: string, { name }: Topic, partition: number, offset: number): Promise<void> {
    const commit = () => this.logOf(name).commit(group, name, new Map([[partition, offset]]))
    const readers = this.groups.get(group)
    await (readers ? readers.whileStopped(`${name}/${partition}`, commit) : commit())
  }

  /** Events that their topics do not keep any longer are deleted; called now and then by its owner. */
  expire(): Promise<void> {
    return this.tables.expire()
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.close()))
  }

  /** A new group's first offset is written down, so that it is the same after a restart. */
  private async settleStart(group: string, topic: Topic, from: 'earliest' | 'latest'): Promise<void> {
    const log = this.logOf(topic.name)
    const committed = await log.committed(group, topic.name)
    if (committed.size > 0) return
    const starts = new Map<number, number>()
    for (let partition = 0; partition < topic.partitions; partition++) {
      starts.set(partition, from === 'latest' ? await log.end(topic.name, partition) : 0)
    }
    await log.commit(group, topic.name, starts)
  }

  private async read(group: string, topic: Topic, partitions: readonly number[], { maxAttempts, handle }: Member) {
    if (partitions.length === 0) return []
    const log = this.logOf(topic.name)
    const committed = await log.committed(group, topic.name)
    const shared = { group, topic, maxAttempts, log, handle, clock: this.options.clock, logger: this.options.log }
    return partitions.map(
      (partition) =>
        new PartitionReader({
          ...shared,
          partition,
          from: committed.get(partition) ?? 0,
          bury: (event, attempts, error) => this.bury(group, topic, event, attempts, error),
        }),
    )
  }

  private async bury(group: string, topic: Topic, event: Stored, attempts: number, error: unknown) {
    const { key, trace } = event.envelope
    await this.publish(deadLetterOf(topic), key, deadLetter(group, event, attempts, error), { trace })
  }

  private wake(topic: Topic): void {
    for (const group of this.groups.values()) {
      for (let partition = 0; partition < topic.partitions; partition++) group.notify(`${topic.name}/${partition}`)
    }
  }

  private logOf(topic: string): EventLog {
    return this.topicOf(topic).durable ? this.tables : this.rings
  }

  private topicOf(name: string): Topic {
    const topic = this.topics.get(name)
    if (!topic) throw new RangeError(`There is no topic ${name}.`)
    return topic
  }
}
