/**
 * One statement for a whole commit. It first takes `for key share` on the slot rows where the epoch is still ours, in
 * ascending order, then moves each account that stands where the commit started; a missing slot row or a moved account
 * drops only those accounts. Everything else hangs on the accounts that moved.
 */
import type { Statement } from '@assay/core/ports/db/port'
import { project, type Row, type Rows } from './project.ts'
import type { SealedCommit } from './seal.ts'
import {
  ANSWER,
  type ColumnType,
  ENVELOPE,
  FILLS,
  JOURNAL,
  LEDGER_ENTRY,
  LEDGER_TRANSACTION,
  ORDER_CHANGES,
  ORDERS,
  OUTBOX,
  PHASES,
  POSITIONS,
  type Table,
  VIOLATIONS,
  WITHDRAWALS,
} from './tables.ts'

type Value = Row[string]
const ACCOUNT: Table = {
  name: 'trading.account',
  columns: {
    account: 'text',
    before: 'bigint',
    tenant: 'text',
    slot: 'integer',
    spec: 'text',
    status: 'text',
    exposed: 'boolean',
    state: 'jsonb',
    mseq: 'bigint',
    mts: 'bigint',
    cseq: 'bigint',
    aseq: 'bigint',
    events: 'bigint',
    deadline: 'bigint',
    hash: 'text',
    state_hash: 'text',
    born: 'boolean',
  },
}
const MOVED_COLUMNS = [
  'status',
  'exposed',
  'state',
  'mseq',
  'mts',
  'cseq',
  'aseq',
  'events',
  'deadline',
  'hash',
  'state_hash',
]
const BORN_COLUMNS = ['account', 'tenant', 'slot', 'spec', ...MOVED_COLUMNS]

class Parameters {
  readonly values: Value[][] = []
  /** `unnest($1::text[], ...) as r(a, ...)`: what JavaScript has no type for travels as text */
  unnest(table: Table, rows: readonly Row[], alias: string): string {
    const names = Object.keys(table.columns)
    const arrays = names.map((name) => {
      this.values.push(rows.map((row) => row[name] ?? null))
      return `$${this.values.length}::${travels(table.columns[name]!)}[]`
    })
    return `unnest(${arrays.join(', ')}) as ${alias}(${names.join(', ')})`
  }
}
const travels = (type: ColumnType): ColumnType =>
  type === 'jsonb' || type === 'timestamptz' || type === 'uuid' ? 'text' : type
const cast = (table: Table, name: string, alias: string): string =>
  travels(table.columns[name]!) === table.columns[name]
    ? `${alias}.${name}`
    : `${alias}.${name}::${table.columns[name]}`

export interface OwnedSlot {
  slot: number
  epoch: number
}
/** Rows: {account} of each that committed, then {slot} of each slot row that was still ours. */
export function commitStatement(batch: readonly SealedCommit[], slots: readonly OwnedSlot[]): Statement {
  const p = new Parameters()
  const owned = p.unnest(
    { name: 'trading.slot', columns: { slot: 'integer', epoch: 'bigint' } },
    slots.map((s) => ({ ...s })),
    'mine',
  )
  const parts = [
    `held as materialized (select s.slot from trading.slot s join ${owned} on mine.slot = s.slot and mine.epoch = s.epoch
      order by s.slot for key share of s)`,
    `input as materialized (select r.* from ${p.unnest(ACCOUNT, batch.map(accountRow), 'r')} where r.slot in (select slot from held))`,
    `moved as (update trading.account a set ${MOVED_COLUMNS.map((c) => `${c} = ${cast(ACCOUNT, c, 'i')}`).join(', ')}, saved_at = now()
      from input i where not i.born and a.account = i.account and a.aseq = i.before returning a.account)`,
    `born as (insert into trading.account (${BORN_COLUMNS.join(', ')}) select ${BORN_COLUMNS.map((c) => cast(ACCOUNT, c, 'i')).join(', ')}
      from input i where i.born on conflict (account) do nothing returning account)`,
    `kept as materialized (select account from moved union all select account from born)`,
  ]
  let n = 0
  const insert = (table: Table, rows: readonly Row[], owner = 'account', order = ''): void => {
    if (rows.length === 0) return
    const names = Object.keys(table.columns)
    parts.push(`w${n++} as (insert into ${table.name} (${names.join(', ')}) select ${names.map((c) => cast(table, c, 'r')).join(', ')}
      from ${p.unnest(table, rows, 'r')} join kept on kept.account = r.${owner} ${order} ${table.conflict ?? ''})`)
  }
  const rows = gather(batch)
  const specs = new Map(
    batch.flatMap(({ commit: { born } }): [string, string][] =>
      born ? [[born.specHash, JSON.stringify(born.spec)]] : [],
    ),
  )
  if (specs.size > 0) {
    const table: Table = { name: 'trading.spec', columns: { hash: 'text', doc: 'jsonb' } }
    parts.push(`specs as (insert into trading.spec (hash, doc) select r.hash, r.doc::jsonb
      from ${p.unnest(
        table,
        [...specs].map(([hash, doc]) => ({ hash, doc })),
        'r',
      )} on conflict (hash) do nothing)`)
  }
  insert(JOURNAL, batch.flatMap(journalRows))
  insert(ENVELOPE, batch.flatMap(envelopeRows))
  insert(ANSWER, batch.flatMap(answerRows))
  insert(ORDERS, rows.orders)
  insert(FILLS, rows.fills)
  insert(POSITIONS, rows.positions)
  insert(VIOLATIONS, rows.violations)
  insert(PHASES, rows.phases)
  insert(LEDGER_TRANSACTION, rows.ledger_transaction)
  insert(LEDGER_ENTRY, rows.ledger_entry)
  if (rows.order_changes.length > 0) {
    parts.push(`w${n++} as (update trading.orders o set filled = o.filled + coalesce(r.filled, 0), status = coalesce(r.status, o.status),
      reason = coalesce(r.reason, o.reason), updated_mts = r.updated_mts
      from ${p.unnest(ORDER_CHANGES, rows.order_changes, 'r')} join kept on kept.account = r.account
      where o.account = r.account and o.order_id = r.order_id)`)
  }
  if (rows.withdrawals.length > 0) {
    parts.push(`w${n++} as (update trading.violations v set withdrawn_aseq = r.withdrawn_aseq
      from ${p.unnest(WITHDRAWALS, rows.withdrawals, 'r')} join kept on kept.account = r.account
      where v.account = r.account and v.phase = r.phase and v.idx = r.idx and v.provisional and v.withdrawn_aseq is null)`)
  }
  // the relay publishes by position, and a join gives rows in any order
  insert(OUTBOX, batch.flatMap(outboxRows), 'key', 'order by r.aggregate, r.aggregate_seq')
  const sql = `with ${parts.join(',\n')}\nselect account, null::integer as slot from kept union all select null, slot from held`
  return { sql, params: p.values }
}

function gather(batch: readonly SealedCommit[]): Rows {
  const all = batch.map(({ commit }) => project(commit.account, commit.currency, commit.phase, commit.records))
  const merged = {} as Rows
  for (const name of Object.keys(all[0]!) as (keyof Rows)[]) merged[name] = all.flatMap((rows) => rows[name])
  return merged
}

function accountRow({ commit, end, stateHash }: SealedCommit): Row {
  return {
    account: commit.account,
    before: commit.before.aseq,
    tenant: commit.born?.tenant ?? null,
    slot: commit.slot,
    spec: commit.born?.specHash ?? null,
    status: commit.status,
    exposed: commit.exposed,
    state: JSON.stringify(commit.state),
    mseq: commit.state.mseq as number,
    mts: commit.state.mts as number,
    cseq: commit.state.cseq as number,
    aseq: end.aseq,
    events: end.events,
    deadline: commit.deadline,
    hash: end.hash,
    state_hash: stateHash,
    born: commit.born !== null,
  }
}
const journalRows = ({ commit, records }: SealedCommit): Row[] =>
  commit.records.map((r, i) => ({
    account: commit.account,
    aseq: r.aseq,
    kind: r.kind,
    mseq: r.mseq,
    mts: r.mts,
    cseq: r.cseq,
    record: records[i]!.text,
    hash: records[i]!.hash,
  }))
/** A row where there is something to say: a request, or a receipt. */
function envelopeRows({ commit, records, at }: SealedCommit): Row[] {
  const rows: Row[] = []
  const wall = new Date(at).toISOString()
  commit.records.forEach((r, i) => {
    const asked = commit.command?.aseq === r.aseq ? commit.command : null
    const { receipt } = records[i]!
    if (!asked && !receipt) return
    rows.push({
      account: commit.account,
      aseq: r.aseq,
      wall,
      request_id: asked?.requestId ?? null,
      command_id: asked?.commandId ?? null,
      receipt: receipt && JSON.stringify(receipt),
    })
  })
  return rows
}
function answerRows({ commit, end }: SealedCommit): Row[] {
  const c = commit.command
  if (!c) return []
  return [
    {
      account: commit.account,
      command_id: c.commandId,
      client_order_id: c.clientOrderId,
      body_hash: c.bodyHash,
      aseq: c.aseq,
      cseq: c.cseq,
      answer: JSON.stringify(c.answer),
      sealed_aseq: end.aseq - 1,
    },
  ]
}
const outboxRows = ({ commit, events, at }: SealedCommit): Row[] =>
  events.map(({ topic, data }, i) => ({
    aggregate: commit.account,
    aggregate_seq: commit.before.events + i + 1,
    id: Bun.randomUUIDv7(),
    topic,
    key: commit.account,
    producer: 'trading',
    ts: new Date(at).toISOString(),
    data: JSON.stringify(data),
  }))
