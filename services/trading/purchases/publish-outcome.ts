import type { Topic } from '@assay/core/contracts/topics/topic'
import { eventText } from '@assay/core/kernel/outbox'
import type { Sql } from '@assay/core/ports/db/port'

/** The outbox row of a purchase's end: a purchase ends once, so it is the one event of its aggregate. */
export async function publishOutcome<T extends { purchase_id: string; user_id: string }>(
  sql: Sql,
  topic: Topic<T>,
  facts: T,
): Promise<void> {
  await sql.query(
    `insert into bus.outbox (aggregate, aggregate_seq, id, topic, key, producer, data) values ($1, 1, $2, $3, $4, $5, $6::json)`,
    [
      `purchase:${facts.purchase_id}`,
      Bun.randomUUIDv7(),
      topic.name,
      facts.user_id,
      topic.producer,
      eventText(topic, facts),
    ],
  )
}
