import type { Topic } from '../contracts/topics/topic.ts'
import type { Sql } from '../ports/db/port.ts'

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
    [aggregate, seq, id, topic.name, key, topic.producer, trace, JSON.stringify(topic.schema.parse(data))],
  )
}
