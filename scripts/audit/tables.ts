import { type Ask, type Audited, auditRules, count, type Rule } from './finding.ts'

const RECORDS = `(select account, aseq, kind, mseq, mts, record::jsonb as r from trading.journal)`

/** Views of orders as they began: what commands were answered, and exits and legs that no command names. */
const BORN = `(
  select account, aseq, r->'answer'->'order' as v from ${RECORDS} j
  where kind = 'command' and r->'command'->>'op' in ('order', 'close') and r->'answer'->>'ok' = 'true'
  union all
  select account, aseq, leg from ${RECORDS} j, jsonb_array_elements(r->'answer'->'legs') leg
  where kind = 'command' and r->'command'->>'op' in ('order', 'close') and r->'answer' ? 'legs' and not leg ? 'parent'
  union all
  select account, aseq, r->'view' from ${RECORDS} j
  where kind = 'order' and r->>'status' = 'working' and r ? 'view' and r->>'order' like '%.%')`

/** Every table of an account follows from its journal: nothing more, nothing less, nothing twice. */
const RULES: readonly Rule[] = [
  {
    rule: 'every order that a command placed or a fill gave birth to is one row, every row one of them',
    sql: `select coalesce(j.account || '/' || j.aseq, o.account || '/' || o.order_id) as place, o.order_id,
        j.v->>'client_order_id' as client_order_id
      from (select distinct on (account, v->>'id') account, aseq, v from ${BORN} b order by account, v->>'id', aseq) j
      full join trading.orders o on o.account = j.account and o.order_id = j.v->>'id'
      where j.account is null or o.account is null or o.aseq <> j.aseq or o.symbol <> v->>'symbol' or o.side <> v->>'side'
        or o.type <> v->>'type' or o.client_order_id is distinct from v->>'client_order_id'`,
  },
  {
    rule: 'an order stands as its newest record says',
    sql: `select o.account || '/' || o.order_id as place, o.status, n.status as told, o.quantity::text, n.quantity as told_quantity
      from trading.orders o join (
        select distinct on (account, id) account, id, status,
          first_value(quantity) over (partition by account, id order by (quantity is null), aseq desc, n desc) as quantity
        from (
          select account, aseq, 0 as n, v->>'id' as id, v->>'status' as status, v->>'quantity' as quantity from ${BORN} b
          union all
          select account, aseq, 1, r->>'order', coalesce(r->'view'->>'status', r->>'status'), r->'view'->>'quantity'
          from ${RECORDS} j where kind = 'order') t
        order by account, id, aseq desc, n desc) n on n.account = o.account and n.id = o.order_id
      where o.status <> n.status or o.quantity <> n.quantity::numeric`,
  },
  {
    rule: 'a client_order_id is used once in an account',
    sql: `select account || ' ' || client_order_id as place, count(*) as orders from trading.orders
      where client_order_id is not null group by account, client_order_id having count(*) > 1`,
  },
  {
    rule: 'every command has its ids and a receipt, no other record has',
    sql: `select c.account || '/' || c.aseq as place, c.kind, c.command_id, c.sealed_aseq
      from trading.journal c left join trading.journal s on s.account = c.account and s.aseq = c.sealed_aseq
      where (c.kind = 'command') <> (c.command_id is not null and c.body_hash is not null and s.aseq >= c.aseq and s.receipt is not null)`,
  },
  {
    rule: 'a command id is answered once',
    sql: `select account || ' ' || command_id as place, count(*) as answers from trading.journal
      where command_id is not null group by account, command_id having count(*) > 1`,
  },
  {
    rule: 'every fill record is one fill, every fill one record',
    sql: `select coalesce(j.account || '/' || j.aseq, f.account || '/' || f.aseq) as place, f.order_id
      from (select * from ${RECORDS} j where kind = 'fill') j
      full join trading.fills f on f.account = j.account and f.aseq = j.aseq
      where j.account is null or f.account is null or f.order_id <> j.r->>'order' or f.side <> j.r->>'side'
        or f.quantity <> (j.r->>'quantity')::numeric or f.price <> (j.r->>'price')::numeric`,
  },
  {
    rule: 'an order is filled by its fills, never over its quantity',
    sql: `select o.account || '/' || o.order_id as place, o.filled::text, coalesce(f.filled, 0)::text as by_fills
      from trading.orders o
      left join (select account, order_id, sum(quantity) as filled from trading.fills group by 1, 2) f using (account, order_id)
      where o.filled <> coalesce(f.filled, 0) or o.filled > o.quantity`,
  },
  {
    rule: 'every record with postings is booked once, line by line',
    sql: `select coalesce(p.account || '/' || p.aseq, e.account || '/' || e.aseq) as place, p.ledger, p.amount, e.ledger as booked_to, e.amount::text as booked
      from (select j.account, j.aseq, x.line - 1 as line, x.p->>'ledger' as ledger, x.p->>'amount' as amount
        from ${RECORDS} j, jsonb_array_elements(j.r->'postings') with ordinality as x(p, line) where kind in ('fill', 'phase', 'carry')) p
      full join trading.ledger_entry e on e.account = p.account and e.aseq = p.aseq and e.line = p.line
      where p.account is null or e.account is null or e.ledger <> p.ledger or e.amount <> p.amount::numeric`,
  },
  {
    rule: 'a position is what its last fill left, in hedging accounts each ticket',
    sql: `select p.account || ' ' || p.symbol || ' ' || p.ticket as place, p.quantity::text, f.quantity as by_fill
      from trading.positions p full join (
        select distinct on (account, phase, symbol, ticket) * from (
          select j.account, (r->>'phase')::int as phase, r->>'symbol' as symbol, r->'position'->>'id' as id,
            case s.doc->>'position_mode' when 'hedging' then r->'position'->>'id' else '' end as ticket,
            r->'position'->>'quantity' as quantity, j.aseq
          from ${RECORDS} j join trading.account a on a.account = j.account join trading.spec s on s.hash = a.spec
          where kind = 'fill') t
        order by account, phase, symbol, ticket, aseq desc) f
        on f.account = p.account and f.phase = p.phase and f.symbol = p.symbol and f.ticket = p.ticket
      where p.account is null or f.account is null or p.quantity <> f.quantity::numeric or p.aseq <> f.aseq or p.position_id <> f.id`,
  },
  {
    rule: 'the state holds the positions and waiting orders of the tables',
    sql: `select a.account as place, s.id, s.quantity as state, p.quantity::text as booked
      from trading.account a
      cross join lateral (select x->>'id' as id, x->>'quantity' as quantity from json_array_elements(a.state->'book'->'positions') x) s
      left join trading.positions p on p.account = a.account and p.phase = (a.state->'book'->>'phase')::int and p.position_id = s.id
      where p.quantity is distinct from s.quantity::numeric
      union all
      select coalesce(o.account, s.account), coalesce(o.order_id, s.id), s.filled, o.filled::text
      from (select * from trading.orders where status in ('working', 'pending')) o
      full join (select a.account, x->>'id' as id, x->>'filled' as filled from trading.account a, json_array_elements(a.state->'orders') x) s
        on s.account = o.account and s.id = o.order_id
      where o.account is null or s.account is null or o.filled <> s.filled::numeric`,
  },
  {
    rule: 'no record is older in market time than the one before it',
    sql: `select account || '/' || aseq as place, mseq, mts from (
        select *, lag(mseq) over w as before_mseq, lag(mts) over w as before_mts from trading.journal window w as (partition by account order by aseq)) j
      where mseq < before_mseq or mts < before_mts`,
  },
]

/** What is read beside the journals. */
export async function auditTables(ask: Ask): Promise<Audited> {
  return {
    findings: await auditRules(ask, RULES),
    counted: await count(ask, { orders: 'trading.orders', fills: 'trading.fills', records: 'trading.journal' }),
  }
}
