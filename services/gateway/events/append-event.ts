import { eventText } from '@assay/core/kernel/outbox'
import type { Topic } from '@assay/core/ports/bus/port'
import type { Sql } from '@assay/core/ports/db/port'

export interface NewEvent<T> {
  /** events of one aggregate are numbered without a gap and published in that order */
  aggregate: string
  key: string
  data: T
}

/** An outbox row in the transaction of what it tells. */
export async function appendEvent<T>(
  sql: Pick<Sql, 'query'>,
  topic: Topic<T>,
  { aggregate, key, data }: NewEvent<T>,
): Promise<void> {
  await sql.query(
    `with next as (
       insert into event_seq as e (aggregate, seq) values ($1, 1)
       on conflict (aggregate) do update set seq = e.seq + 1 returning seq)
     insert into bus.outbox (aggregate, aggregate_seq, id, topic, key, producer, data)
     select $1, seq, $2, $3, $4, $5, $6::jsonb from next`,
    [aggregate, Bun.randomUUIDv7(), topic.name, key, topic.producer, eventText(topic, data)],
  )
}
