import type { Db, Row } from '../db/port.ts'
import type { EventLog, Stored } from './event-log.ts'
import type { Envelope, Topic } from './port.ts'

/**
 * Gives each row of `incoming` (n, topic, partitions, id, ...) that is not in its topic yet the next offset of its
 * partition. Publishing again what was published before a crash adds nothing; the subquery, unlike "not exists", is an
 * index look-up in every plan, also in one that was made while the table was small.
 */
const append = (incoming: string) => `with incoming as materialized (${incoming}),
  placed as materialized (
    select i.*, mod(hashtextextended(i.key, 0) & 9223372036854775807, i.partitions)::int as partition
    from incoming i where (select e.id from topic_event e where e.id = i.id) is null),
  grown as (
    insert into topic_partition as t (topic, partition, "end") select topic, partition, count(*) from placed group by 1, 2
    on conflict (topic, partition) do update set "end" = t."end" + excluded."end" returning topic, partition, "end"),
  stored as (
    insert into topic_event (topic, partition, "offset", id, key, producer, version, trace, seq, ts, data)
    select p.topic, p.partition, g."end" - row_number() over (partition by p.topic, p.partition order by p.n desc),
      p.id, p.key, p.producer, p.version, p.trace, p.seq, p.ts, p.data
    from placed p join grown g using (topic, partition))
  select topic, partition, "end" from grown`

const APPEND_ENVELOPES = append(`select r.n, r.topic, r.partitions, r.id::uuid as id, r.key, r.producer, r.version,
  r.trace, r.seq, r.ts::timestamptz as ts, r.data::json as data
  from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::bigint[], $9::text[], $10::text[])
    with ordinality as r(topic, partitions, id, key, producer, version, trace, seq, ts, data, n)`)

const MOVE_OUTBOX =
  append(`select o.position as n, o.topic, coalesce(t.partitions, 1) as partitions, o.id, o.key, o.producer,
  o.version, o.trace, o.aggregate_seq as seq, o.ts, o.data
  from outbox o left join unnest($2::text[], $3::int[]) as t(topic, partitions) on t.topic = o.topic
  where o.position = any($1::bigint[])`)

interface Grown extends Row {
  topic: string
  partition: number
  end: string
}

/** Durable topics as rows of schema bus. This process is the only one that adds to them, so it knows every end. */
export class TableLog implements EventLog {
  private readonly db: Db
  private ends: Promise<Map<string, number>> | undefined

  constructor(
    db: Db,
    private readonly topics: readonly Topic[],
    private readonly topicOf: (name: string) => Topic,
  ) {
    this.db = db.as('bus')
  }

  async append(envelopes: readonly Envelope[]): Promise<void> {
    const column = <T>(of: (envelope: Envelope) => T) => envelopes.map(of)
    await this.grow(APPEND_ENVELOPES, [
      column(({ topic }) => topic),
      column(({ topic }) => this.topicOf(topic).partitions),
      column(({ id }) => id),
      column(({ key }) => key),
      column(({ producer }) => producer),
      column(({ version }) => version),
      column(({ trace }) => trace),
      column(({ seq }) => seq),
      column(({ ts }) => ts),
      column(({ data }) => JSON.stringify(data)),
    ])
  }

  /** Publishes rows of the outbox inside the database; the partitions that grew, as `topic/partition`. */
  moveOutbox(positions: readonly string[]): Promise<string[]> {
    return this.grow(MOVE_OUTBOX, [
      positions,
      this.topics.map(({ name }) => name),
      this.topics.map(({ partitions }) => partitions),
    ])
  }

  async read(topic: string, partition: number, offset: number, limit: number): Promise<Stored[]> {
    const rows = await this.db.query(
      `select "offset", id, key, producer, version, trace, seq, ts, data from topic_event
       where topic = $1 and partition = $2 and "offset" >= $3 order by "offset" limit $4`,
      [topic, partition, offset, limit],
    )
    return rows.map((row) => ({
      partition,
      offset: Number(row.offset),
      envelope: {
        id: row.id as string,
        topic,
        key: row.key as string,
        ts: (row.ts as Date).toISOString(),
        producer: row.producer as string,
        version: row.version as number,
        trace: row.trace as string | null,
        seq: Number(row.seq),
        data: row.data,
      },
    }))
  }

  async end(topic: string, partition: number): Promise<number> {
    return (await this.known()).get(`${topic}/${partition}`) ?? 0
  }

  async committed(group: string, topic: string): Promise<Map<number, number>> {
    const rows = await this.db.query<{ partition: number; committed: string }>(
      'select partition, committed from group_offset where "group" = $1 and topic = $2',
      [group, topic],
    )
    return new Map(rows.map(({ partition, committed }) => [partition, Number(committed)]))
  }

  async commit(group: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    await this.db.query(
      `insert into group_offset ("group", topic, partition, committed)
       select $1, $2, partition, committed from unnest($3::int[], $4::bigint[]) as r(partition, committed)
       on conflict ("group", topic, partition) do update set committed = excluded.committed`,
      [group, topic, [...offsets.keys()], [...offsets.values()]],
    )
  }

  /** Deletes events that are older than their topic keeps them, and inbox rows older than any topic. */
  async expire(): Promise<void> {
    const names = this.topics.map(({ name }) => name)
    const days = this.topics.map(({ retentionMs }) => retentionMs / 86_400_000)
    await this.db.batch([
      {
        sql: `delete from topic_event e using (
                select p.topic, p.partition, coalesce((
                  select l."offset" from topic_event l
                  where l.topic = p.topic and l.partition = p.partition and l.ts >= now() - make_interval(days => t.days)
                  order by l."offset" limit 1), p."end") as first_kept
                from topic_partition p join unnest($1::text[], $2::int[]) as t(topic, days) using (topic)) k
              where e.topic = k.topic and e.partition = k.partition and e."offset" < k.first_kept`,
        params: [names, days],
      },
      {
        sql: 'delete from inbox where at < now() - make_interval(days => $1)',
        params: [Math.max(0, ...days) + 10],
      },
    ])
  }

  private async grow(sql: string, params: Parameters<Db['query']>[1]): Promise<string[]> {
    const ends = await this.known()
    const grown = await this.db.query<Grown>(sql, params)
    return grown.map(({ topic, partition, end }) => {
      const name = `${topic}/${partition}`
      ends.set(name, Math.max(ends.get(name) ?? 0, Number(end)))
      return name
    })
  }

  private known(): Promise<Map<string, number>> {
    this.ends ??= this.db
      .query<Grown>('select topic, partition, "end" from topic_partition')
      .then((rows) => new Map(rows.map(({ topic, partition, end }) => [`${topic}/${partition}`, Number(end)])))
      .catch((error) => {
        this.ends = undefined
        throw error
      })
    return this.ends
  }
}
