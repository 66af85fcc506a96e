import { type Ask, type Audited, auditRules, count, type Rule } from './finding.ts'

/** Where published events can be asked for. */
export interface Published {
  /** with topic, key, seq, id, data; a further column gives the order they stand in */
  table: string
  order: 'offset' | 'n'
}
/** The embedded bus keeps topics, offsets and groups in the database. */
export const IN_DATABASE: Published = { table: 'bus.topic_event', order: 'offset' }

/**
 * Events of an account: its id is key and aggregate. An event is in the outbox until it is marked, in its topic once it
 * is published; in between it may be in both, under one id. A broker was asked after the snapshot began, and holds more.
 */
const accountEvents = ({ table }: Published): string => `(
  select e.key as account, e.seq, e.id, e.topic, e.data::jsonb as data, 'topic' as place from ${table} e
    join trading.account a on a.account = e.key and e.seq <= a.events
  union all
  select o.aggregate, o.aggregate_seq, o.id, o.topic, o.data::jsonb, 'outbox' from bus.outbox o join trading.account a on a.account = o.aggregate)`

const rulesOf = (published: Published): Rule[] => [
  {
    rule: "an account's events are numbered from 1 to what its row says, each one event",
    sql: `select a.account as place, a.events, e.distinct_seqs, e.first, e.last, e.ids
      from trading.account a left join (
        select account, count(distinct seq) as distinct_seqs, count(distinct id) as ids, min(seq) as first, max(seq) as last
        from ${accountEvents(published)} e group by account) e on e.account = a.account
      where a.events <> coalesce(e.distinct_seqs, 0) or a.events <> coalesce(e.ids, 0) or (a.events > 0 and (e.first <> 1 or e.last <> a.events))`,
  },
  {
    rule: 'an event that is in the outbox and in its topic says the same in both',
    sql: `select o.aggregate || ' ' || o.aggregate_seq as place, o.topic, e.topic as published from bus.outbox o join ${published.table} e on e.id = o.id
      where e.seq <> o.aggregate_seq or e.topic <> o.topic or e.key <> o.key or e.data::jsonb <> o.data::jsonb`,
  },
  {
    rule: 'an event is published after those before it',
    sql: `select aggregate || ' ' || min(aggregate_seq) as place from bus.outbox o
      where exists (select from ${published.table} e join trading.account a on a.account = e.key and e.seq <= a.events
        where e.key = o.aggregate and e.seq > o.aggregate_seq
          and not exists (select from ${published.table} p where p.id = o.id))
      group by aggregate`,
  },
  {
    rule: "a key's events stand in their order, each where it stood first",
    sql: `select topic || ' ' || key as place, seq, before from (
        select topic, key, seq, lag(seq) over (partition by topic, key order by place) as before
        from (select distinct on (id) id, topic, key, seq, "${published.order}" as place from ${published.table} order by id, "${published.order}") f
        join trading.account a on a.account = f.key) e where seq <= before`,
  },
  {
    rule: 'every fill and every accepted order is told once',
    sql: `select coalesce(f.account || '/' || f.aseq, e.account || '/' || e.aseq) as place, f.topic as due, e.topic as told
      from (select account, aseq, 'trading.order-filled' as topic from trading.fills
        union all select account, aseq, 'trading.order-placed' from trading.orders) f
      full join (select account, (data->>'aseq')::bigint as aseq, topic from (select distinct id, account, topic, data from ${accountEvents(published)} x) d
        where topic in ('trading.order-filled', 'trading.order-placed')) e
        on e.account = f.account and e.aseq = f.aseq and e.topic = f.topic
      where f.account is null or e.account is null`,
  },
]

/** What only the bus in the database promises: a relay to a broker may publish an event again, under its id. */
const EMBEDDED: readonly Rule[] = [
  {
    rule: 'an event is in its topic once',
    sql: `select key || ' ' || seq as place, count(*) as times from bus.topic_event e
      join trading.account a on a.account = e.key group by key, seq having count(*) > 1`,
  },
  {
    rule: "a partition's offsets have no gap and end where it says",
    sql: `select coalesce(p.topic, e.topic) || '/' || coalesce(p.partition, e.partition) as place, p."end", e.n, e.last
      from bus.topic_partition p full join (
        select topic, partition, count(*) as n, max("offset") as last from bus.topic_event group by topic, partition) e
        on e.topic = p.topic and e.partition = p.partition
      where p.topic is null or p."end" <> coalesce(e.n, 0) or p."end" <> coalesce(e.last, -1) + 1`,
  },
  {
    rule: 'a consumer group is not ahead of its topic',
    sql: `select g."group" || ' ' || g.topic || '/' || g.partition as place, g.committed, p."end"
      from bus.group_offset g left join bus.topic_partition p using (topic, partition) where g.committed > coalesce(p."end", 0)`,
  },
]

/**
 * Outbox and durable topics: nothing lost, nothing twice, nothing out of order. Null: what was published is elsewhere and
 * is not looked at.
 */
export async function auditTopics(ask: Ask, published: Published | null): Promise<Audited> {
  if (!published) return { findings: [], counted: await count(ask, { 'outbox rows': 'bus.outbox' }) }
  const rules = [...rulesOf(published), ...(published === IN_DATABASE ? EMBEDDED : [])]
  return {
    findings: await auditRules(ask, rules),
    counted: await count(ask, { 'outbox rows': 'bus.outbox', 'topic events': published.table }),
  }
}
