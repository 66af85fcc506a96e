import { AssayError } from '../contracts/errors.ts'
import type { Topic } from '../contracts/topics/topic.ts'
import type { Sql } from '../ports/db/port.ts'
import { LARGEST_EVENT } from '../ports/kafka/topics.ts'

export interface OutboxEvent<T> {
  /** what the event is about, such as `purchase:<id>`; its events are numbered without a gap */
  aggregate: string
  /** the event's number, from 1 */
  seq: number
  key: string
  data: T
  id?: string
  trace?: string | null
}

/** Of an event's 1 MiB: its envelope, and what JSON of the database adds. */
const ENVELOPE_BYTES = 4 * 1024

/** An event's data as its row holds it. A larger one would stay in the outbox for ever, and all of its aggregate behind it. */
export function eventText<T>(topic: Topic<T>, data: T): string {
  const text = JSON.stringify(topic.schema.parse(data))
  const most = LARGEST_EVENT - ENVELOPE_BYTES
  if (text.length > most / 4 && Buffer.byteLength(text) > most) {
    throw new AssayError('payload_too_large', `What ${topic.name} would tell is too large: at most ${most} bytes.`)
  }
  return text
}

/**
 * Adds an event to the outbox, in the transaction of what it tells. Events of one aggregate must be written one
 * transaction after the other (its row is locked, or it has one writer): their order is the order they are published in.
 */
export async function enqueue<T>(
  sql: Pick<Sql, 'query'>,
  topic: Topic<T>,
  { aggregate, seq, key, data, id = Bun.randomUUIDv7(), trace = null }: OutboxEvent<T>,
): Promise<void> {
  await sql.query(
    `insert into bus.outbox (aggregate, aggregate_seq, id, topic, key, producer, trace, data)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [aggregate, seq, id, topic.name, key, topic.producer, trace, eventText(topic, data)],
  )
}
