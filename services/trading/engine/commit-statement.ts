/**
 * One statement for a whole commit. It first takes `for key share` on the slot rows where the epoch is still ours, in
 * ascending order, then moves each account that stands where the commit started; a missing slot row or a moved account
 * drops only those accounts. Everything else hangs on the accounts that moved: each row carries the number of its
 * commit in the batch.
 */
import { binaryArray, isBinaryType } from '@assay/core/ports/db/binary-array'
import type { Param, Statement } from '@assay/core/ports/db/port'
import { project, type Row, type Rows } from './project.ts'
import type { SealedCommit } from './seal.ts'
import {
  ACCOUNT,
  BORN_COLUMNS,
  type ColumnType,
  FILLS,
  JOURNAL,
  LEDGER_ENTRY,
  LEDGER_TRANSACTION,
  LEGS,
  MOVED_COLUMNS,
  ORDER_CHANGED,
  ORDER_CHANGES,
  ORDERS,
  OUTBOX,
  PHASES,
  POSITIONS,
  SLOT,
  SPEC,
  type Table,
  VIOLATIONS,
  WITHDRAWALS,
} from './tables.ts'

/** Rows of one table, each with the number of its commit. */
class Gathered {
  readonly of: number[] = []
  readonly rows: Row[] = []
  add(commit: number, rows: readonly Row[]): void {
    for (const row of rows) {
      this.of.push(commit)
      this.rows.push(row)
    }
  }
  split(isFirst: (row: Row) => boolean): [Gathered, Gathered] {
    const parts: [Gathered, Gathered] = [new Gathered(), new Gathered()]
    this.rows.forEach((row, i) => {
      parts[isFirst(row) ? 0 : 1].add(this.of[i]!, [row])
    })
    return parts
  }
}
/** `o12.tp`: hangs on another order, and may be told twice. */
const isLeg = ({ order_id }: Row): boolean => (order_id as string).includes('.')

class Parameters {
  readonly values: Param[] = []
  add(value: Param): string {
    return `$${this.values.push(value)}`
  }
  private array(type: ColumnType, items: readonly (string | number | boolean | null)[]): string {
    // text in, for what the server would have to cast or parse either way
    const sent = type === 'jsonb' ? 'text' : type
    return `${this.add(isBinaryType(sent) ? binaryArray(sent, items) : items)}::${sent}[]`
  }
  /** `(select unnest($1::text[]) as a, ...) as r`, row by row, never gathered first; `of` adds the column n */
  unnest({ columns }: Pick<Table, 'columns'>, rows: readonly Row[], alias: string, of?: readonly number[]): string {
    const names = Object.keys(columns)
    const arrays = names.map((name) =>
      this.array(
        columns[name]!,
        rows.map((row) => row[name] ?? null),
      ),
    )
    if (of) {
      names.push('n')
      arrays.push(this.array('integer', of))
    }
    return `(select ${arrays.map((array, i) => `unnest(${array}) as ${names[i]}`).join(', ')}) as ${alias}`
  }
}
const read = ({ columns }: Table, name: string): string =>
  columns[name] === 'jsonb' ? `r.${name}::jsonb` : `r.${name}`

export interface OwnedSlot {
  slot: number
  epoch: number
}
/** One row: `kept`, the numbers in the batch of the commits that happened; `held`, the slots whose row was still ours. */
export function commitStatement(batch: readonly SealedCommit[], slots: readonly OwnedSlot[]): Statement {
  const p = new Parameters()
  const wall = `${p.add(new Date(batch[0]!.at))}::timestamptz`
  const parts = [
    `held as materialized (select s.slot from trading.slot s
      join ${p.unnest(SLOT, slots as readonly (OwnedSlot & Row)[], 'mine')} on mine.slot = s.slot and mine.epoch = s.epoch
      order by s.slot for key share of s)`,
    `input as materialized (select r.* from ${p.unnest(
      ACCOUNT,
      batch.map(accountRow),
      'r',
      batch.map((_, n) => n),
    )} where r.slot in (select slot from held))`,
    `moved as (update trading.account a set ${MOVED_COLUMNS.map((c) => `${c} = i.${c}`).join(', ')}, saved_at = ${wall}
      from input i where not i.born and a.account = i.account and a.aseq = i.before returning i.n, a.account)`,
    `born as (insert into trading.account (${BORN_COLUMNS.join(', ')}) select ${BORN_COLUMNS.join(', ')}
      from input where born on conflict (account) do nothing returning account)`,
    `kept as materialized (select n, account from moved union all select i.n, account from born join input i using (account))`,
  ]
  const add = (part: string) => parts.push(`w${parts.length} as (${part})`)
  const insert = (table: Table, { rows, of }: Gathered, order = ''): void => {
    if (rows.length === 0) return
    const { owner, stamp, conflict = '' } = table
    const names = Object.keys(table.columns)
    const into = [...owner, ...(stamp ? [stamp] : []), ...names]
    const values = [...owner.map(() => 'k.account'), ...(stamp ? [wall] : []), ...names.map((c) => read(table, c))]
    add(`insert into ${table.name} (${into.join(', ')}) select ${values.join(', ')}
      from ${p.unnest(table, rows, 'r', of)} join kept k using (n) ${order} ${conflict}`)
  }
  const specs = batch.flatMap(({ commit: { born } }) => born ?? [])
  if (specs.length > 0) {
    const docs = new Map(specs.map(({ specHash, spec }) => [specHash, spec]))
    const rows = [...docs].map(([hash, doc]): Row => ({ hash, doc: JSON.stringify(doc) }))
    add(`insert into trading.spec (hash, doc) select r.hash, ${read(SPEC, 'doc')} from ${p.unnest(SPEC, rows, 'r')}
      on conflict (hash) do nothing`)
  }
  const rows = gather(batch)
  insert(JOURNAL, rows.journal)
  const [legs, orders] = rows.orders.split(isLeg)
  insert(ORDERS, orders)
  insert(LEGS, legs)
  insert(FILLS, rows.fills)
  insert(POSITIONS, rows.positions)
  insert(VIOLATIONS, rows.violations)
  insert(PHASES, rows.phases)
  insert(LEDGER_TRANSACTION, rows.ledger_transaction)
  insert(LEDGER_ENTRY, rows.ledger_entry)
  if (rows.order_changes.rows.length > 0) {
    const { rows: changes, of } = rows.order_changes
    const changed = ORDER_CHANGED.map((c) => `${c} = coalesce(${read(ORDER_CHANGES, c)}, o.${c})`)
    add(`update trading.orders o set filled = o.filled + coalesce(r.filled, 0), ${changed.join(', ')}, updated_mts = r.updated_mts
      from ${p.unnest(ORDER_CHANGES, changes, 'r', of)} join kept k using (n)
      where o.account = k.account and o.order_id = r.order_id`)
  }
  if (rows.withdrawals.rows.length > 0) {
    const { rows: withdrawn, of } = rows.withdrawals
    add(`update trading.violations v set withdrawn_aseq = r.withdrawn_aseq
      from ${p.unnest(WITHDRAWALS, withdrawn, 'r', of)} join kept k using (n)
      where v.account = k.account and v.phase = r.phase and v.idx = r.idx and v.provisional and v.withdrawn_aseq is null`)
  }
  // the relay publishes by position, and a join gives rows in any order
  insert(OUTBOX, rows.outbox, 'order by r.n, r.aggregate_seq')
  const sql = `with ${parts.join(',\n')}\nselect (select array_agg(n) from kept) as kept, (select array_agg(slot) from held) as held`
  return { sql, params: p.values }
}

type Everything = Record<keyof Rows | 'journal' | 'outbox', Gathered>
function gather(batch: readonly SealedCommit[]): Everything {
  const all: Everything = {
    journal: new Gathered(),
    outbox: new Gathered(),
    orders: new Gathered(),
    order_changes: new Gathered(),
    fills: new Gathered(),
    positions: new Gathered(),
    violations: new Gathered(),
    withdrawals: new Gathered(),
    phases: new Gathered(),
    ledger_transaction: new Gathered(),
    ledger_entry: new Gathered(),
  }
  batch.forEach((sealed, n) => {
    const rows = project(sealed.commit)
    for (const name in rows) all[name as keyof Rows].add(n, rows[name as keyof Rows])
    all.journal.add(n, journalRows(sealed))
    all.outbox.add(n, outboxRows(sealed))
  })
  return all
}

function accountRow({ commit, end, state }: SealedCommit): Row {
  return {
    account: commit.account,
    before: commit.before.aseq,
    tenant: commit.born?.tenant ?? null,
    slot: commit.slot,
    spec: commit.born?.specHash ?? null,
    status: commit.status,
    exposed: commit.exposed,
    state: state.text,
    mseq: commit.state.mseq,
    mts: commit.state.mts,
    cseq: commit.state.cseq,
    aseq: end.aseq,
    events: end.events,
    deadline: commit.deadline,
    hash: end.hash,
    state_hash: state.hash,
    born: commit.born !== null,
  }
}
function journalRows({ commit, records, end }: SealedCommit): Row[] {
  return commit.records.map((r, i) => {
    const { text, hash, receipt } = records[i]!
    const asked = commit.command?.aseq === r.aseq ? commit.command : null
    return {
      aseq: r.aseq,
      kind: r.kind,
      mseq: r.mseq,
      mts: r.mts,
      cseq: r.cseq,
      record: text,
      hash,
      request_id: asked?.requestId ?? null,
      command_id: asked?.commandId ?? null,
      client_order_id: asked?.clientOrderId ?? null,
      body_hash: asked?.bodyHash ?? null,
      sealed_aseq: asked && end.aseq - 1,
      receipt: receipt && JSON.stringify(receipt),
    }
  })
}
const outboxRows = ({ commit, events }: SealedCommit): Row[] =>
  events.map(({ topic, data }, i) => ({
    aggregate_seq: commit.before.events + i + 1,
    id: Bun.randomUUIDv7(),
    topic,
    producer: 'trading',
    data: JSON.stringify(data),
  }))
