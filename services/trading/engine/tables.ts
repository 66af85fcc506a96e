/**
 * Columns of the tables that a commit writes, with the type each array parameter has. The account is not among them: a
 * row carries the number of its commit in the batch, and the account's name goes into `owner`.
 */
export type ColumnType = 'text' | 'bigint' | 'integer' | 'numeric' | 'boolean' | 'json' | 'jsonb' | 'uuid'
export interface Table {
  name: string
  owner: readonly string[]
  columns: Record<string, ColumnType>
  /** the commit's wall time goes here */
  stamp?: string
  /** after the insert's columns: what happens to a row that is there */
  conflict?: string
}
const table = (name: string, columns: Table['columns'], more: Partial<Table> = {}): Table => ({
  name,
  owner: ['account'],
  columns,
  ...more,
})

export const SLOT = { columns: { slot: 'integer', epoch: 'bigint' } } as const
export const SPEC = table('trading.spec', { hash: 'text', doc: 'jsonb' })
export const MOVED_COLUMNS = [
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
export const BORN_COLUMNS = ['account', 'tenant', 'slot', 'spec', ...MOVED_COLUMNS]
/** `before`: the aseq at which the commit started; `born`: there is no row yet. */
export const ACCOUNT = table('trading.account', {
  account: 'text',
  before: 'bigint',
  tenant: 'text',
  slot: 'integer',
  spec: 'text',
  status: 'text',
  exposed: 'boolean',
  state: 'json',
  mseq: 'bigint',
  mts: 'bigint',
  cseq: 'bigint',
  aseq: 'bigint',
  events: 'bigint',
  deadline: 'bigint',
  hash: 'text',
  state_hash: 'text',
  born: 'boolean',
})
/** A record and its hash; beside them, not hashed, its envelope: what was asked under which ids, and the receipt. */
export const JOURNAL = table(
  'trading.journal',
  {
    aseq: 'bigint',
    kind: 'text',
    mseq: 'bigint',
    mts: 'bigint',
    cseq: 'bigint',
    record: 'text',
    hash: 'text',
    request_id: 'text',
    command_id: 'text',
    client_order_id: 'text',
    body_hash: 'text',
    sealed_aseq: 'bigint',
    receipt: 'json',
  },
  { stamp: 'wall' },
)
/** What an amendment, a trigger or the other leg may change of an order. */
const ORDER_STANDING = {
  quantity: 'numeric',
  price: 'numeric',
  stop_price: 'numeric',
  trail: 'json',
  expires_mts: 'bigint',
  oco: 'text',
  status: 'text',
  reason: 'text',
} as const
export const ORDER_CHANGED = Object.keys(ORDER_STANDING)
export const ORDERS = table('trading.orders', {
  order_id: 'text',
  phase: 'integer',
  client_order_id: 'text',
  symbol: 'text',
  side: 'text',
  type: 'text',
  time_in_force: 'text',
  ...ORDER_STANDING,
  activation_price: 'numeric',
  reduce_only: 'boolean',
  post_only: 'boolean',
  parent: 'text',
  position: 'text',
  filled: 'numeric',
  aseq: 'bigint',
  mseq: 'bigint',
  mts: 'bigint',
  updated_mts: 'bigint',
})
/** A leg that was pending is told again when it arrives. */
export const LEGS: Table = {
  ...ORDERS,
  conflict: `on conflict (account, order_id) do update set ${ORDER_CHANGED.map((c) => `${c} = coalesce(excluded.${c}, orders.${c})`).join(', ')},
   filled = orders.filled + excluded.filled, updated_mts = excluded.updated_mts`,
}
export const ORDER_CHANGES = table('trading.orders', {
  order_id: 'text',
  ...ORDER_STANDING,
  filled: 'numeric',
  updated_mts: 'bigint',
})
export const FILLS = table('trading.fills', {
  aseq: 'bigint',
  phase: 'integer',
  order_id: 'text',
  symbol: 'text',
  side: 'text',
  quantity: 'numeric',
  price: 'numeric',
  liquidity: 'text',
  source: 'json',
  instrument: 'text',
  result: 'json',
  fee: 'json',
  spread_cost: 'numeric',
  position_id: 'text',
  mseq: 'bigint',
  mts: 'bigint',
})
export const POSITIONS = table(
  'trading.positions',
  {
    phase: 'integer',
    symbol: 'text',
    ticket: 'text',
    position_id: 'text',
    quantity: 'numeric',
    cost: 'numeric',
    opened_mts: 'bigint',
    updated_mts: 'bigint',
    aseq: 'bigint',
  },
  // opened_mts stands while the position keeps its side
  {
    conflict: `on conflict (account, phase, symbol, ticket) do update set position_id = excluded.position_id, quantity = excluded.quantity, cost = excluded.cost, updated_mts = excluded.updated_mts,
   aseq = excluded.aseq, opened_mts = case when sign(positions.quantity) = sign(excluded.quantity) or excluded.quantity = 0
   then positions.opened_mts else excluded.opened_mts end`,
  },
)
export const VIOLATIONS = table('trading.violations', {
  aseq: 'bigint',
  phase: 'integer',
  rule: 'text',
  idx: 'integer',
  effect: 'text',
  value: 'numeric',
  limit_value: 'numeric',
  balance: 'numeric',
  equity: 'numeric',
  crossed: 'json',
  marks: 'json',
  provisional: 'boolean',
  withdrawn_aseq: 'bigint',
  mseq: 'bigint',
  mts: 'bigint',
})
export const WITHDRAWALS = table('trading.violations', {
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
  {
    conflict: `on conflict (account, phase) do update set ${PHASE_CHANGES.map((c) => `${c} = coalesce(excluded.${c}, phases.${c})`).join(', ')}`,
  },
)
export const LEDGER_TRANSACTION = table('trading.ledger_transaction', {
  aseq: 'bigint',
  kind: 'text',
  mseq: 'bigint',
  mts: 'bigint',
})
export const LEDGER_ENTRY = table('trading.ledger_entry', {
  aseq: 'bigint',
  line: 'integer',
  ledger: 'text',
  currency: 'text',
  amount: 'numeric',
})
export const OUTBOX = table(
  'bus.outbox',
  {
    aggregate_seq: 'bigint',
    id: 'uuid',
    topic: 'text',
    producer: 'text',
    data: 'json',
  },
  { owner: ['aggregate', 'key'], stamp: 'ts' },
)
