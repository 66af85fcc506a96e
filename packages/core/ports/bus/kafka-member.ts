import type { Consumer, EachBatchPayload } from 'kafkajs'
import type { Logger } from 'pino'
import type { Clock } from '../clock/port.ts'
import { type KafkaConnection, PATIENT } from '../kafka/connection.ts'
import { type Delivery, deliver } from './deliver.ts'
import { parseEnvelope } from './envelope.ts'
import type { Stored } from './event-log.ts'
import { assigner } from './kafka-assigner.ts'
import { type Delivered, PoisonError, type Topic } from './port.ts'

/** A member that is silent for so long is out of its group. */
const SESSION_MS = 10_000
const HEARTBEAT_MS = 1_000
/** How long a rebalance waits for a handler to come to its end. */
const REBALANCE_MS = 60_000
/** A fetch without events comes back after this time. */
const FETCH_MS = 500
const FETCH_BYTES = 8 * 1024 * 1024
const PARTITION_BYTES = 1024 * 1024
const CONCURRENT_PARTITIONS = 16
/** Offsets are committed after so many events, or so long, and at the end of what was fetched. */
const COMMIT_EVENTS = 256
const COMMIT_MS = 1_000
/** Whether it is time to commit is asked after so many events: the question counts all that is not committed yet. */
const ASK_EVENTS = 32
const REMAKE_MS = 1_000
const CLOSE_MS = 15_000

export interface MemberOptions {
  connection: KafkaConnection
  group: string
  topics: readonly Topic[]
  from: 'earliest' | 'latest'
  maxAttempts: number
  clock: Clock
  logger: Pick<Logger, 'error' | 'warn'>
  handle: (message: Delivered) => Promise<void>
  bury: (topic: Topic, message: Stored, attempts: number, error: unknown) => Promise<void>
}

/** One member of a consumer group: a partition at a time and an event at a time within it, the offset after the work. */
export class KafkaMember {
  private consumer!: Consumer
  private readonly stopping = new AbortController()
  private readonly byName: Map<string, Topic>
  private assigned: Record<string, number[]> = {}
  private remaking: Promise<void> = Promise.resolve()

  constructor(private readonly options: MemberOptions) {
    this.byName = new Map(options.topics.map((topic) => [options.connection.named(topic.name), topic]))
  }

  get group(): string {
    return this.options.group
  }

  /** Resolves when it is in its group and has partitions, if there are any for it. */
  async start(): Promise<void> {
    const { connection, group, from } = this.options
    const consumer = connection.kafka.consumer({
      groupId: connection.named(group),
      partitionAssigners: [assigner((topic) => this.byName.get(topic)?.partitions ?? 0)],
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: REBALANCE_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: FETCH_MS,
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: PARTITION_BYTES,
      allowAutoTopicCreation: false,
      retry: PATIENT,
    })
    this.consumer = consumer
    const joined = new Promise<void>((resolve) => {
      consumer.on('consumer.group_join', ({ payload }) => {
        this.assigned = payload.memberAssignment
        resolve()
      })
    })
    consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
      // kafkajs gives up for good where it calls an error fatal, and says it nowhere else
      if (!restart && consumer === this.consumer && !this.stopping.signal.aborted) this.remake(error)
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [...this.byName.keys()], fromBeginning: from === 'earliest' })
    await consumer.run({
      eachBatchAutoResolve: false,
      autoCommitThreshold: COMMIT_EVENTS,
      autoCommitInterval: COMMIT_MS,
      partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
      eachBatch: (batch) => this.take(batch),
    })
    await joined
  }

  owns(topic: string, partition: number): boolean {
    return this.assigned[this.options.connection.named(topic)]?.includes(partition) === true
  }

  /** Goes on at the offset after the event in hand; resolves when that is committed. */
  async seek(name: string, partition: number, offset: number): Promise<void> {
    let begun = false
    const applied = new Promise<void>((resolve) => {
      const stops = [
        this.consumer.on('consumer.fetch_start', () => {
          begun = true
        }),
        this.consumer.on('consumer.fetch', () => {
          if (!begun) return
          for (const stop of stops) stop()
          resolve()
        }),
      ]
    })
    this.consumer.seek({ topic: this.options.connection.named(name), partition, offset: String(offset) })
    await applied
  }

  async close(): Promise<void> {
    this.stopping.abort()
    await this.remaking
    await this.end()
  }

  private remake(error: unknown): void {
    const { logger, clock, group } = this.options
    logger.error({ err: error, group }, 'a consumer has crashed; it is made anew')
    this.remaking = (async () => {
      await this.end()
      while (!this.stopping.signal.aborted) {
        await clock.sleep(REMAKE_MS, this.stopping.signal).catch(() => {})
        if (this.stopping.signal.aborted) return
        try {
          return await this.start()
        } catch (err) {
          logger.error({ err, group }, 'a consumer could not be made; it is tried again')
          await this.end()
        }
      }
    })()
  }

  private async end(): Promise<void> {
    const limit = new AbortController()
    const ended = this.consumer.disconnect().catch(() => {})
    await Promise.race([ended, this.options.clock.sleep(CLOSE_MS, limit.signal).catch(() => {})])
    limit.abort()
  }

  private async take({
    batch,
    resolveOffset,
    heartbeat,
    commitOffsetsIfNecessary,
    isRunning,
    isStale,
  }: EachBatchPayload): Promise<void> {
    const topic = this.byName.get(batch.topic)!
    const delivery = this.deliveryOf(topic)
    let lost: unknown
    const beating = setInterval(() => heartbeat().catch((error) => (lost ??= error)), HEARTBEAT_MS)
    try {
      for (const [n, { key, value, offset }] of batch.messages.entries()) {
        if (!isRunning() || isStale() || lost) break
        const at = { partition: batch.partition, offset: Number(offset) }
        const text = value?.toString() ?? ''
        const envelope = parseEnvelope(text)
        if (envelope === null) await this.buryText(topic, key?.toString() ?? '', text, at)
        else if (!(await deliver({ envelope, ...at }, delivery))) break
        // somebody has sent the group elsewhere meanwhile: this one's offset is not its place
        if (isStale()) break
        resolveOffset(offset)
        if (n % ASK_EVENTS === ASK_EVENTS - 1) await commitOffsetsIfNecessary()
      }
    } finally {
      clearInterval(beating)
    }
    if (lost) throw lost
  }

  private deliveryOf(topic: Topic): Delivery {
    const { bury, ...rest } = this.options
    return {
      ...rest,
      topic,
      stopping: this.stopping.signal,
      bury: (message, attempts, error) => bury(topic, message, attempts, error),
    }
  }

  private async buryText(topic: Topic, key: string, text: string, at: { partition: number; offset: number }) {
    const { logger, group, bury } = this.options
    logger.error({ group, topic: topic.name, ...at }, 'a record that is no envelope goes to the dead letter')
    const envelope = { key, trace: null, text } as never
    await bury(topic, { envelope, ...at }, 1, new PoisonError('the record is no envelope'))
  }
}
