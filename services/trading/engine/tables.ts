/** Columns of the tables that a commit writes, with the type each array parameter has. */
export type ColumnType = 'text' | 'bigint' | 'integer' | 'numeric' | 'boolean' | 'jsonb' | 'timestamptz' | 'uuid'
export interface Table {
  name: string
  columns: Record<string, ColumnType>
  /** after the insert's columns: what happens to a row that is there */
  conflict?: string
}
const table = (name: string, columns: Record<string, ColumnType>, conflict?: string): Table => ({
  name,
  columns,
  ...(conflict ? { conflict } : {}),
})

export const JOURNAL = table('trading.journal', {
  account: 'text',
  aseq: 'bigint',
  kind: 'text',
  mseq: 'bigint',
  mts: 'bigint',
  cseq: 'bigint',
  record: 'text',
  hash: 'text',
})
export const ENVELOPE = table('trading.envelope', {
  account: 'text',
  aseq: 'bigint',
  wall: 'timestamptz',
  request_id: 'text',
  command_id: 'text',
  receipt: 'jsonb',
})
export const ANSWER = table('trading.answer', {
  account: 'text',
  command_id: 'text',
  client_order_id: 'text',
  body_hash: 'text',
  aseq: 'bigint',
  cseq: 'bigint',
  answer: 'jsonb',
  sealed_aseq: 'bigint',
})
export const ORDERS = table('trading.orders', {
  account: 'text',
  order_id: 'text',
  phase: 'integer',
  client_order_id: 'text',
  symbol: 'text',
  side: 'text',
  type: 'text',
  time_in_force: 'text',
  quantity: 'numeric',
  price: 'numeric',
  filled: 'numeric',
  status: 'text',
  reason: 'text',
  aseq: 'bigint',
  mseq: 'bigint',
  mts: 'bigint',
  updated_mts: 'bigint',
})
export const ORDER_CHANGES = table('trading.orders', {
  account: 'text',
  order_id: 'text',
  filled: 'numeric',
  status: 'text',
  reason: 'text',
  updated_mts: 'bigint',
})
export const FILLS = table('trading.fills', {
  account: 'text',
  aseq: 'bigint',
  phase: 'integer',
  order_id: 'text',
  symbol: 'text',
  side: 'text',
  quantity: 'numeric',
  price: 'numeric',
  liquidity: 'text',
  source: 'jsonb',
  instrument: 'text',
  result: 'jsonb',
  fee: 'jsonb',
  spread_cost: 'numeric',
  mseq: 'bigint',
  mts: 'bigint',
})
export const POSITIONS = table(
  'trading.positions',
  {
    account: 'text',
    phase: 'integer',
    symbol: 'text',
    quantity: 'numeric',
    cost: 'numeric',
    opened_mts: 'bigint',
    updated_mts: 'bigint',
    aseq: 'bigint',
  },
  // opened_mts stands while the position keeps its side
  `on conflict (account, phase, symbol) do update set quantity = excluded.quantity, cost = excluded.cost, updated_mts = excluded.updated_mts,
   aseq = excluded.aseq, opened_mts = case when sign(positions.quantity) = sign(excluded.quantity) or excluded.quantity = 0
   then positions.opened_mts else excluded.opened_mts end`,
)
export const VIOLATIONS = table('trading.violations', {
  account: 'text',
  aseq: 'bigint',
  phase: 'integer',
  rule: 'text',
  idx: 'integer',
  effect: 'text',
  value: 'numeric',
  limit_value: 'numeric',
  balance: 'numeric',
  equity: 'numeric',
  crossed: 'jsonb',
  marks: 'jsonb',
  provisional: 'boolean',
  withdrawn_aseq: 'bigint',
  mseq: 'bigint',
  mts: 'bigint',
})
export const WITHDRAWALS = table('trading.violations', {
  account: 'text',
  phase: 'integer',
  idx: 'integer',
  withdrawn_aseq: 'bigint',
})
const PHASE_CHANGES = [
  'status',
  'initial_balance',
  'opened_aseq',
  'opened_mts',
  'ended_aseq',
  'ended_mts',
  'verdict',
  'rule',
  'value',
  'limit_value',
  'balance',
  'equity',
]
export const PHASES = table(
  'trading.phases',
  {
    account: 'text',
    phase: 'integer',
    status: 'text',
    initial_balance: 'numeric',
    opened_aseq: 'bigint',
    opened_mts: 'bigint',
    ended_aseq: 'bigint',
    ended_mts: 'bigint',
    verdict: 'text',
    rule: 'text',
    value: 'numeric',
    limit_value: 'numeric',
    balance: 'numeric',
    equity: 'numeric',
  },
  `on conflict (account, phase) do update set ${PHASE_CHANGES.map((c) => `${c} = coalesce(excluded.${c}, phases.${c})`).join(', ')}`,
)
export const LEDGER_TRANSACTION = table('trading.ledger_transaction', {
  account: 'text',
  aseq: 'bigint',
  kind: 'text',
  mseq: 'bigint',
  mts: 'bigint',
})
export const LEDGER_ENTRY = table('trading.ledger_entry', {
  account: 'text',
  aseq: 'bigint',
  line: 'integer',
  ledger: 'text',
  currency: 'text',
  amount: 'numeric',
})
export const OUTBOX = table('bus.outbox', {
  aggregate: 'text',
  aggregate_seq: 'bigint',
  id: 'uuid',
  topic: 'text',
  key: 'text',
  producer: 'text',
  ts: 'timestamptz',
  data: 'jsonb',
})
