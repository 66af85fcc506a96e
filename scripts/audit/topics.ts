import { type Ask, type Audited, auditRules, count, type Rule } from './finding.ts'

/**
 * Events of an account: its id is key and aggregate. An event is in the outbox until it is marked, in its topic once it
 * is published; in between it may be in both, under one id.
 */
const ACCOUNT_EVENTS = `(
  select e.key as account, e.seq, e.id, e.topic, e.data::jsonb as data, 'topic' as place from bus.topic_event e join trading.account a on a.account = e.key
  union all
  select o.aggregate, o.aggregate_seq, o.id, o.topic, o.data::jsonb, 'outbox' from bus.outbox o join trading.account a on a.account = o.aggregate)`

const RULES: readonly Rule[] = [
  {
    rule: "an account's events are numbered from 1 to what its row says, each one event",
    sql: `select a.account as place, a.events, e.distinct_seqs, e.first, e.last, e.ids
      from trading.account a left join (
        select account, count(distinct seq) as distinct_seqs, count(distinct id) as ids, min(seq) as first, max(seq) as last
        from ${ACCOUNT_EVENTS} e group by account) e on e.account = a.account
      where a.events <> coalesce(e.distinct_seqs, 0) or a.events <> coalesce(e.ids, 0) or (a.events > 0 and (e.first <> 1 or e.last <> a.events))`,
  },
  {
    rule: 'an event is in its topic once',
    sql: `select key || ' ' || seq as place, count(*) as times from bus.topic_event e
      join trading.account a on a.account = e.key group by key, seq having count(*) > 1`,
  },
  {
    rule: 'an event that is in the outbox and in its topic says the same in both',
    sql: `select o.aggregate || ' ' || o.aggregate_seq as place, o.topic, e.topic as published from bus.outbox o join bus.topic_event e on e.id = o.id
      where e.seq <> o.aggregate_seq or e.topic <> o.topic or e.key <> o.key or e.data::jsonb <> o.data::jsonb`,
  },
  {
    rule: 'an event is published after those before it',
    sql: `select aggregate || ' ' || min(aggregate_seq) as place from bus.outbox o
      where exists (select from bus.topic_event e join trading.account a on a.account = e.key
        where e.key = o.aggregate and e.seq > o.aggregate_seq
          and not exists (select from bus.topic_event p where p.id = o.id))
      group by aggregate`,
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
    rule: "a key's events stand in their order",
    sql: `select topic || ' ' || key as place, seq, before from (
        select topic, key, seq, lag(seq) over (partition by topic, partition, key order by "offset") as before
        from bus.topic_event e join trading.account a on a.account = e.key) e where seq <= before`,
  },
  {
    rule: 'a consumer group is not ahead of its topic',
    sql: `select g."group" || ' ' || g.topic || '/' || g.partition as place, g.committed, p."end"
      from bus.group_offset g left join bus.topic_partition p using (topic, partition) where g.committed > coalesce(p."end", 0)`,
  },
  {
    rule: 'every fill and every accepted order is told once',
    sql: `select coalesce(f.account || '/' || f.aseq, e.account || '/' || e.aseq) as place, f.topic as due, e.topic as told
      from (select account, aseq, 'trading.order-filled' as topic from trading.fills
        union all select account, aseq, 'trading.order-placed' from trading.orders) f
      full join (select account, (data->>'aseq')::bigint as aseq, topic from (select distinct id, account, topic, data from ${ACCOUNT_EVENTS} x) d
        where topic in ('trading.order-filled', 'trading.order-placed')) e
        on e.account = f.account and e.aseq = f.aseq and e.topic = f.topic
      where f.account is null or e.account is null`,
  },
]

/** Outbox and durable topics: nothing lost, nothing twice, nothing out of order. */
export async function auditTopics(ask: Ask): Promise<Audited> {
  return {
    findings: await auditRules(ask, RULES),
    counted: await count(ask, { 'outbox rows': 'bus.outbox', 'topic events': 'bus.topic_event' }),
  }
}
