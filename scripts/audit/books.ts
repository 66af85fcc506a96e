import { type Ask, type Audited, auditRules, count, type Rule } from './finding.ts'

const RULES: readonly Rule[] = [
  {
    rule: 'trial balance: all cash and all house ledgers sum to 0 in every currency',
    sql: `select currency as place, sum(amount)::text as sum from trading.ledger_entry group by currency having sum(amount) <> 0`,
  },
  {
    rule: 'a ledger transaction balances in every currency',
    sql: `select account || '/' || aseq as place, currency, sum(amount)::text as sum from trading.ledger_entry
      group by account, aseq, currency having sum(amount) <> 0`,
  },
  {
    rule: 'a ledger transaction has at least two entries, an entry has its transaction',
    sql: `select coalesce(t.account || '/' || t.aseq, e.account || '/' || e.aseq) as place, t.kind, e.lines
      from trading.ledger_transaction t
      full join (select account, aseq, count(*) as lines from trading.ledger_entry group by account, aseq) e
        on e.account = t.account and e.aseq = t.aseq
      where t.account is null or e.lines is null or e.lines < 2`,
  },
  {
    // an ended account keeps the balance of its end; what had no depth then is a book of its own until it is closed
    rule: 'the cash that was booked in a phase is the balance of the state',
    sql: `select a.account || ' phase ' || (b.book->>'phase') as place, b.book->>'balance' as state, c.cash::text as booked
      from trading.account a
      cross join lateral (select a.state->'book' as book, true as own union all select json_array_elements(a.state->'closing'), false) b
      left join trading.phases p on p.account = a.account and p.phase = (b.book->>'phase')::int
      left join lateral (
        select max(v.mseq) as mseq from trading.journal v where v.account = a.account and v.kind = 'verdict' and b.own
          and (v.record::jsonb->>'phase')::int = (b.book->>'phase')::int) v on true
      left join lateral (
        select sum(e.amount) as cash from trading.ledger_entry e
        join trading.journal j on j.account = e.account and j.aseq = e.aseq
        left join trading.fills f on f.account = e.account and f.aseq = e.aseq
        where e.account = a.account and e.ledger = 'account:cash' and (v.mseq is null or j.mseq <= v.mseq)
          and (f.phase = (b.book->>'phase')::int or e.aseq = p.opened_aseq
            or (j.kind = 'carry' and (j.record::jsonb->>'phase')::int = (b.book->>'phase')::int))) c on true
      where (b.book->>'balance')::numeric <> coalesce(c.cash, 0)`,
  },
]

export interface LedgerTotal {
  currency: string
  ledger: string
  sum: string
}
/** Every ledger's sum by currency: cash and house together are 0. */
export async function ledgerTotals(ask: Ask): Promise<LedgerTotal[]> {
  const rows = await ask(
    'select currency, ledger, sum(amount)::text as sum from trading.ledger_entry group by currency, ledger order by 1, 2',
  )
  return rows as unknown as LedgerTotal[]
}

/** The double-entry books, from the rows alone. */
export async function auditBooks(ask: Ask): Promise<Audited> {
  return {
    findings: await auditRules(ask, RULES),
    counted: await count(ask, {
      'ledger transactions': 'trading.ledger_transaction',
      'ledger entries': 'trading.ledger_entry',
    }),
  }
}
