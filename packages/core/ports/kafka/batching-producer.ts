import { CompressionTypes, Partitioners, type Producer } from 'kafkajs'
import { type KafkaConnection, PATIENT } from './connection.ts'
import { isPassing } from './patiently.ts'
import { LARGEST_EVENT } from './topics.ts'

export interface Outgoing {
  topic: string
  key: string
  value: string
  /** where the key does not say it */
  partition?: number
  /** ms, from which its topic keeps it; now unless told */
  timestamp?: string
}
/** where the first of a partition's messages was put, and the last of those that named the partition */
export interface Place {
  topic: string
  partition: number
  first: number
  last: number
}
interface Waiting {
  messages: readonly Outgoing[]
  bytes: number
  resolve: (places: readonly Place[]) => void
  reject: (error: unknown) => void
}

/** One request holds no more than this; what comes meanwhile goes with the next one. */
const MOST_MESSAGES = 4_096
const MOST_BYTES = 2 * LARGEST_EVENT
/** Messages that wait to be sent; a publisher beyond waits for room. */
const MOST_WAITING = 20_000
const RETRY_MS = 500

/**
 * An idempotent producer: one request at a time, acknowledged by all, in the order of the calls. A request whose answer
 * was lost is sent again under the same sequence numbers, for as long as it takes. When it fails for good its numbers
 * are unknown, so the next one begins with a new producer.
 */
export class BatchingProducer {
  private producer: Promise<Producer> | null = null
  private waiting: Waiting[] = []
  private count = 0
  private readonly room: (() => void)[] = []
  private sending: Promise<void> | null = null
  private closed = false
  private readonly closing = Promise.withResolvers<never>()

  constructor(private readonly connection: KafkaConnection) {
    this.closing.promise.catch(() => {})
  }

  /** Resolves when all of them are durable, with the places of the request they went with. */
  async send(messages: readonly Outgoing[]): Promise<readonly Place[]> {
    if (messages.length === 0) return []
    const bytes = messages.map(sizeOf)
    while (this.count >= MOST_WAITING && !this.closed) await new Promise<void>((resolve) => this.room.push(resolve))
    const parts: Promise<readonly Place[]>[] = []
    for (let from = 0; from < messages.length; ) {
      let to = from
      let sum = 0
      while (to < messages.length && to - from < MOST_MESSAGES && (to === from || sum + bytes[to]! <= MOST_BYTES))
        sum += bytes[to++]!
      parts.push(this.enqueue(messages.slice(from, to), sum))
      from = to
    }
    return parts.length === 1 ? parts[0]! : (await Promise.all(parts)).flat()
  }

  /** What is under way is given up, also where its broker does not answer. */
  async close(): Promise<void> {
    this.closed = true
    const error = new Error('The producer is closed.')
    this.closing.reject(error)
    for (const { reject } of this.waiting.splice(0)) reject(error)
    for (const resolve of this.room.splice(0)) resolve()
    await this.sending?.catch(() => {})
    await this.disconnect()
  }

  private enqueue(messages: readonly Outgoing[], bytes: number): Promise<readonly Place[]> {
    if (this.closed) return Promise.reject(new Error('The producer is closed.'))
    this.count += messages.length
    const done = new Promise<readonly Place[]>((resolve, reject) =>
      this.waiting.push({ messages, bytes, resolve, reject }),
    )
    this.sending ??= this.run()
    return done
  }

  private async run(): Promise<void> {
    // publishers of the same turn go together
    await Promise.resolve()
    while (this.waiting.length > 0 && !this.closed) await this.sendNext()
    this.sending = null
  }

  private async sendNext(): Promise<void> {
    const batch = this.take()
    try {
      const places = await Promise.race([this.persist(batch), this.closing.promise])
      for (const { resolve } of batch) resolve(places)
    } catch (error) {
      for (const { reject } of batch) reject(error)
      if (!this.closed) await this.disconnect()
    } finally {
      for (const { messages } of batch) this.count -= messages.length
      if (this.count < MOST_WAITING) for (const resolve of this.room.splice(0)) resolve()
    }
  }

  private take(): Waiting[] {
    let messages = 0
    let bytes = 0
    let n = 0
    for (const waiting of this.waiting) {
      if (n > 0 && (messages + waiting.messages.length > MOST_MESSAGES || bytes + waiting.bytes > MOST_BYTES)) break
      messages += waiting.messages.length
      bytes += waiting.bytes
      n++
    }
    return this.waiting.splice(0, n)
  }

  /** The same request to the same producer carries the same numbers: the broker knows what it has already. */
  private async persist(batch: readonly Waiting[]): Promise<readonly Place[]> {
    for (;;) {
      try {
        return await this.request(batch)
      } catch (error) {
        if (this.closed || !isPassing(error)) throw error
        if (!(await this.connected())) this.producer = null
        await Bun.sleep(RETRY_MS)
      }
    }
  }

  private async connected(): Promise<boolean> {
    return (
      this.producer?.then(
        () => true,
        () => false,
      ) ?? false
    )
  }

  private async request(batch: readonly Waiting[]): Promise<readonly Place[]> {
    const topics = new Map<string, Omit<Outgoing, 'topic'>[]>()
    for (const { messages } of batch) {
      for (const { topic, ...message } of messages) {
        const found = topics.get(topic)
        if (found) found.push(message)
        else topics.set(topic, [message])
      }
    }
    this.producer ??= this.connect()
    const answers = await (await this.producer).sendBatch({
      acks: -1,
      compression: CompressionTypes.None,
      topicMessages: [...topics].map(([topic, messages]) => ({ topic, messages })),
    })
    return answers.map(({ topicName: topic, partition, baseOffset }) => {
      const first = Number(baseOffset)
      const named = topics.get(topic)!.filter((message) => message.partition === partition).length
      return { topic, partition, first, last: first + Math.max(named, 1) - 1 }
    })
  }

  private async connect(): Promise<Producer> {
    const producer = this.connection.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: PATIENT,
    })
    await producer.connect()
    return producer
  }

  private async disconnect(): Promise<void> {
    const producer = this.producer
    this.producer = null
    // one that still waits for its broker is left to end by itself
    if (producer) await Promise.race([producer.then((p) => p.disconnect()).catch(() => {}), Bun.sleep(1_000)])
  }
}

function sizeOf({ topic, value }: Outgoing): number {
  const bytes = value.length < LARGEST_EVENT / 4 ? value.length : Buffer.byteLength(value)
  if (bytes > LARGEST_EVENT)
    throw new RangeError(`An event of ${bytes} bytes is too large for ${topic}: at most ${LARGEST_EVENT}.`)
  return bytes
}
