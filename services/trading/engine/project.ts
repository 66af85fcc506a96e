/** Every table of an account is a projection of its journal: records in, rows out, no other source. Pure. */
import type { JournalRecord, OrderView } from '@assay/core/domain/engine/types'
import { add, dec, sign, str, ZERO } from '@assay/core/domain/money/dec'
import type { AccountCommit } from './types.ts'

type Value = string | number | boolean | null
/** A row by column name, as tables.ts declares them, without its account; JSON is text here. */
export type Row = Record<string, Value>
export interface Rows {
  orders: Row[]
  order_changes: Row[]
  fills: Row[]
  positions: Row[]
  violations: Row[]
  withdrawals: Row[]
  phases: Row[]
  ledger_transaction: Row[]
  ledger_entry: Row[]
}
type RecordOf<K extends JournalRecord['kind']> = Extract<JournalRecord, { kind: K }>

/** Rows of consecutive records of one account; `phase` is the one before the first of them. */
export function project({
  currency,
  phase,
  records,
  hedging,
}: Pick<AccountCommit, 'currency' | 'phase' | 'records' | 'hedging'>): Rows {
  const rows: Rows = {
    orders: [],
    order_changes: [],
    fills: [],
    positions: [],
    violations: [],
    withdrawals: [],
    phases: [],
    ledger_transaction: [],
    ledger_entry: [],
  }
  const orders = new Map<string, Row>()
  const positions = new Map<string, Row>()
  const phases = new Map<number, Row>()
  let current = phase
  for (const record of records) {
    switch (record.kind) {
      case 'command':
        if (record.answer.ok && isPlacing(record)) {
          // exits have a record of their own for their birth
          for (const view of [record.answer.order, ...(record.answer.legs ?? [])])
            if (view && !view.parent && !orders.has(view.id)) orders.set(view.id, orderRow(current, record, view))
        }
        break
      case 'order':
        if (isBirth(record) && !orders.has(record.order))
          orders.set(record.order, orderRow(record.phase, record, record.view!))
        changeOrder(orderOf(orders, record.order, record), record)
        break
      case 'fill': {
        fillRow(rows, record)
        const ticket = hedging ? record.position.id : ''
        const place = `${record.phase} ${record.symbol} ${ticket}`
        positions.set(place, positionRow(record, ticket, positions.get(place)))
        post(rows, currency, record)
        // what an end, a lock or a settlement closes has no order
        if (!isOrderId(record.order)) break
        const order = orderOf(orders, record.order, record)
        order.filled = str(add(order.filled === null ? ZERO : dec(order.filled as string), dec(record.quantity)))
        break
      }
      case 'carry':
        post(rows, currency, record)
        break
      case 'phase':
        if (record.status === 'opened') current = record.phase
        phases.set(record.phase, {
          ...(phases.get(record.phase) ?? emptyPhase(record.phase)),
          ...phaseChange(record),
        })
        post(rows, currency, record)
        break
      case 'verdict':
        phases.set(record.phase, {
          ...(phases.get(record.phase) ?? emptyPhase(record.phase)),
          ...verdictChange(record),
        })
        break
      case 'violation':
        rows.violations.push(violationRow(record))
        break
      case 'withdrawn':
        withdraw(rows, record)
        break
    }
  }
  for (const order of orders.values()) {
    if (order.symbol === undefined) rows.order_changes.push(order)
    else rows.orders.push(order)
  }
  rows.positions.push(...positions.values())
  rows.phases.push(...phases.values())
  return rows
}

/** `o12`, and `o12.tp`, `o12.sl`, `o12.stop` that hang on it. */
const isOrderId = (name: string): boolean => /^o\d/.test(name)
const isPlacing = ({ command: { op } }: RecordOf<'command'>): boolean => op === 'order' || op === 'close'
/** A leg or an exit that no command names. */
const isBirth = ({ status, order, view }: RecordOf<'order'>): boolean =>
  status === 'working' && view !== undefined && order.includes('.')

/** A new order starts unfilled: its fills follow as records of their own. */
const orderRow = (phase: number, record: RecordOf<'command' | 'order'>, view: OrderView): Row => ({
  order_id: view.id,
  phase,
  client_order_id: view.client_order_id ?? null,
  symbol: view.symbol,
  side: view.side,
  type: view.type,
  time_in_force: view.time_in_force,
  ...standing(view),
  activation_price: view.activation_price ?? null,
  reduce_only: view.reduce_only ?? false,
  post_only: view.post_only ?? false,
  parent: view.parent ?? null,
  position: view.position ?? null,
  filled: '0',
  aseq: record.aseq,
  mseq: record.mseq,
  mts: record.mts,
  updated_mts: record.mts,
})
const standing = (view: OrderView): Row => ({
  quantity: view.quantity,
  price: view.price ?? null,
  stop_price: view.stop_price ?? null,
  trail: view.trail ? JSON.stringify(view.trail) : null,
  expires_mts: view.expires_at ?? null,
  oco: view.oco ?? null,
  status: view.status,
  reason: view.reason ?? null,
})
/** The row of an order: the new one of this commit, or a change to one that stands. */
function orderOf(orders: Map<string, Row>, id: string, record: JournalRecord): Row {
  let row = orders.get(id)
  if (!row) {
    row = { order_id: id, filled: null, updated_mts: record.mts }
    orders.set(id, row)
  }
  row.updated_mts = record.mts
  return row
}
function changeOrder(row: Row, { view, status, reason }: RecordOf<'order'>): void {
  if (view) Object.assign(row, standing(view))
  else row.status = status
  row.reason = reason ?? null
}

function fillRow(rows: Rows, r: RecordOf<'fill'>): void {
  rows.fills.push({
    aseq: r.aseq,
    phase: r.phase,
    order_id: r.order,
    symbol: r.symbol,
    side: r.side,
    quantity: r.quantity,
    price: r.price,
    liquidity: r.liquidity,
    source: JSON.stringify(r.source),
    instrument: r.instrument,
    result: r.result && JSON.stringify(r.result),
    fee: r.fee && JSON.stringify(r.fee),
    spread_cost: r.spread_cost,
    position_id: r.position.id,
    mseq: r.mseq,
    mts: r.mts,
  })
}
/** opened_mts stands while the position keeps its side. */
function positionRow(r: RecordOf<'fill'>, ticket: string, before: Row | undefined): Row {
  const { id, quantity, cost } = r.position
  const kept =
    before !== undefined && (quantity === '0' || sign(dec(quantity)) === sign(dec(before.quantity as string)))
  return {
    phase: r.phase,
    symbol: r.symbol,
    ticket,
    position_id: id,
    quantity,
    cost,
    opened_mts: kept ? before.opened_mts! : r.mts,
    updated_mts: r.mts,
    aseq: r.aseq,
  }
}

function post(rows: Rows, currency: string, r: RecordOf<'fill' | 'phase' | 'carry'>): void {
  if (r.postings.length === 0) return
  rows.ledger_transaction.push({ aseq: r.aseq, kind: r.kind, mseq: r.mseq, mts: r.mts })
  r.postings.forEach((p, line) => {
    rows.ledger_entry.push({ aseq: r.aseq, line, ledger: p.ledger, currency, amount: p.amount })
  })
}

const emptyPhase = (phase: number): Row => ({
  phase,
  status: null,
  initial_balance: null,
  opened_aseq: null,
  opened_mts: null,
  ended_aseq: null,
  ended_mts: null,
  verdict: null,
  rule: null,
  value: null,
  limit_value: null,
  balance: null,
  equity: null,
})
const phaseChange = (r: RecordOf<'phase'>): Row =>
  r.status === 'opened'
    ? { status: 'opened', initial_balance: r.balance, opened_aseq: r.aseq, opened_mts: r.mts }
    : { status: r.status, ended_aseq: r.aseq, ended_mts: r.mts, balance: r.balance }
const verdictChange = (r: RecordOf<'verdict'>): Row => ({
  status: r.verdict,
  ended_aseq: r.aseq,
  ended_mts: r.mts,
  verdict: r.verdict,
  rule: r.rule,
  value: r.value,
  limit_value: r.limit,
  balance: r.balance,
  equity: r.equity,
})

const violationRow = (r: RecordOf<'violation'>): Row => ({
  aseq: r.aseq,
  phase: r.phase,
  rule: r.rule,
  idx: r.index,
  effect: r.effect,
  value: r.value,
  limit_value: r.limit,
  balance: r.balance,
  equity: r.equity,
  crossed: JSON.stringify(r.crossed),
  marks: JSON.stringify(r.marks),
  provisional: r.provisional,
  withdrawn_aseq: null,
  mseq: r.dated?.mseq ?? r.mseq,
  mts: r.dated?.mts ?? r.mts,
})
function withdraw(rows: Rows, r: RecordOf<'withdrawn'>): void {
  const here = rows.violations.findLast((v) => v.provisional === true && v.idx === r.index && v.withdrawn_aseq === null)
  if (here) here.withdrawn_aseq = r.aseq
  else rows.withdrawals.push({ phase: r.phase, idx: r.index, withdrawn_aseq: r.aseq })
}
