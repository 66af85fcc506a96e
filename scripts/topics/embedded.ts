import { type DeadLetter, deadLetterOf, TOPICS } from '@assay/core/contracts/topics/catalog'
import { DAY_MS, type Topic } from '@assay/core/contracts/topics/topic'
import type { Db } from '@assay/core/ports/db/port'
import { type LagLine, type Letter, REPLAYED, type TopicLine, type TopicsDesk } from './desk.ts'

interface Stored {
  topic: string
  partition: number
  offset: string
  data: DeadLetter
}
interface Written {
  id: string
  topic: string
  key: string
  producer: string
  version: number
  trace: string | null
  seq: number
  ts: string
  data: unknown
}

/** Durable topics as rows of the platform's database; market topics live in its memory. */
export class EmbeddedDesk implements TopicsDesk {
  readonly kind = 'embedded'
  private readonly durable: readonly Topic[]
  private readonly bus: Db

  constructor(
    private readonly db: Db,
    topics: readonly Topic[] = TOPICS,
  ) {
    this.bus = db.as('bus')
    this.durable = topics.filter(({ durable }) => durable)
  }

  async list(): Promise<TopicLine[]> {
    const rows = await this.bus.query<{ topic: string; events: string }>(
      'select topic, count(*) as events from topic_event group by topic',
    )
    const events = new Map(rows.map((row) => [row.topic, Number(row.events)]))
    const letters = await this.letters()
    return this.durable.map(({ name, partitions, retentionMs }) => ({
      topic: name,
      partitions,
      retentionDays: retentionMs / DAY_MS,
      events: events.get(name) ?? 0,
      deadLetters: letters.filter(({ topic }) => topic === name).length,
    }))
  }

  async lag(): Promise<LagLine[]> {
    const rows = await this.bus.query<{ group: string; topic: string; lag: string }>(
      `select o."group", o.topic, sum(greatest(0, coalesce(p."end", 0) - o.committed)) as lag
       from group_offset o left join topic_partition p using (topic, partition)
       where o."group" <> $1 group by 1, 2 order by 3 desc, 1, 2`,
      [REPLAYED],
    )
    return rows.map(({ group, topic, lag }) => ({ group, topic, lag: Number(lag) }))
  }

  async letters(): Promise<Letter[]> {
    const sources = new Map(this.durable.map((topic) => [deadLetterOf(topic).name, topic.name]))
    const rows = await this.bus.query(
      `select e.topic, e.partition, e."offset", e.data from topic_event e
       left join group_offset o on o."group" = $1 and o.topic = e.topic and o.partition = e.partition
       where e.topic = any($2::text[]) and e."offset" >= coalesce(o.committed, 0)
       order by e.topic, e.partition, e."offset"`,
      [REPLAYED, [...sources.keys()]],
    )
    return (rows as unknown as Stored[]).map(({ topic, partition, offset, data }) => ({
      topic: sources.get(topic)!,
      partition,
      offset: Number(offset),
      letter: data,
    }))
  }

  /** Through the outbox, whose relay tells the consumers. A topic holds an event once, so it leaves its old place. */
  async replay(letters: readonly Letter[]): Promise<void> {
    for (const { topic, partition, offset, letter } of letters) {
      const event = letter.envelope as unknown as Written
      await this.db.tx(async (sql) => {
        await sql.query('delete from bus.topic_event where id = $1', [event.id])
        await sql.query(
          `insert into bus.outbox (aggregate, aggregate_seq, id, topic, key, producer, version, trace, ts, data)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
          [
            `replay:${event.id}`,
            event.seq,
            event.id,
            topic,
            event.key,
            event.producer,
            event.version,
            event.trace,
            event.ts,
            JSON.stringify(event.data),
          ],
        )
        await sql.query(
          `insert into bus.group_offset ("group", topic, partition, committed) values ($1, $2, $3, $4)
           on conflict ("group", topic, partition) do update set committed = excluded.committed`,
          [REPLAYED, `${topic}.dead-letter`, partition, offset + 1],
        )
      })
    }
  }

  apply = async (): Promise<string[]> => []
  close = (): Promise<void> => this.db.close()
}
