import type { Topic } from '../../contracts/topics/topic.ts'

export type { Topic }

export interface Envelope<T = unknown> {
  /** uuidv7; consumers are idempotent by it */
  id: string
  topic: string
  key: string
  ts: string
  producer: string
  version: number
  trace: string | null
  /** aggregate_seq of the outbox row: gapless per aggregate; 0 where published straight */
  seq: number
  data: T
}
export interface Delivered<T = unknown> {
  envelope: Envelope<T>
  partition: number
  offset: number
  attempt: number
}
export interface ConsumerOptions {
  group: string
  topics: Topic[]
  /** tries before a poison event goes to <topic>.dead-letter (5) */
  maxAttempts?: number
  /** a new group starts here; `earliest` unless told */
  from?: 'earliest' | 'latest'
}
export interface Subscription {
  close(): Promise<void>
}
/** Ordered per key, at least once, consumer groups, redelivery, dead letter, replay from an offset, asynchronous delivery, JSON round trip, schema on both sides. */
export interface Bus {
  publish<T>(
    topic: Topic<T>,
    key: string,
    data: T,
    options?: { id?: string; seq?: number; trace?: string | null },
  ): Promise<void>
  /** envelopes already formed (the outbox relay); acknowledged when it resolves, in order per key */
  publishEnvelopes(envelopes: readonly Envelope[]): Promise<void>
  /** the handler's rejection redelivers; a PoisonError goes to the dead letter at once */
  subscribe(options: ConsumerOptions, handler: (message: Delivered) => Promise<void>): Promise<Subscription>
  /** committed offset per partition and the log's end, for lag */
  lag(group: string, topic: Topic): Promise<{ partition: number; committed: number; end: number }[]>
  seek(group: string, topic: Topic, partition: number, offset: number): Promise<void>
  close(): Promise<void>
}
export class PoisonError extends Error {}
