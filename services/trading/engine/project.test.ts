import { describe, expect, test } from 'bun:test'
import { topicNamed } from '@assay/core/contracts/topics/catalog'
import type { Body, JournalRecord, OrderView } from '@assay/core/domain/engine/types'
import { eventsOf } from './outbox.ts'
import { project } from './project.ts'

const view = (id: string, more: Partial<OrderView> = {}): OrderView => ({
  id,
  symbol: 'TST/USD',
  side: 'buy',
  type: 'limit',
  time_in_force: 'gtc',
  quantity: '10',
  price: '100',
  filled: '0',
  status: 'working',
  created_at: 1,
  ...more,
})
const records = (first: number, ...bodies: Body[]): JournalRecord[] =>
  bodies.map((body, i) => ({ aseq: first + i, mseq: 5, mts: 1000, cseq: 1, ...body }))
const placed = (...orders: [OrderView, ...OrderView[]]): Body => ({
  kind: 'command',
  command: { op: 'order', symbol: 'TST/USD', side: 'buy', type: 'limit', quantity: '10', price: '100' },
  answer: { ok: true, order: orders[0], ...(orders.length > 1 ? { legs: orders } : {}) },
})
const changed = (order: string, status: 'working' | 'amended' | 'triggered' | 'cancelled', now?: OrderView): Body => ({
  kind: 'order',
  phase: 0,
  order,
  status,
  filled: '0',
  ...(now ? { view: now } : {}),
})
const filled = (order: string, position: { id: string; quantity: string }, quantity = '10'): Body => ({
  kind: 'fill',
  phase: 0,
  order,
  symbol: 'TST/USD',
  side: 'buy',
  quantity,
  price: '100',
  liquidity: 'taker',
  source: { kind: 'quote', venue: 'v', mseq: 5, price: '100', size: '10', ts: 1 },
  instrument: 'TST/USD@1',
  result: null,
  fee: null,
  postings: [],
  spread_cost: '0',
  position: { cost: '1000', ...position },
})
const rowsOf = (list: JournalRecord[], hedging = false) =>
  project({ currency: 'USD', phase: 0, hedging, records: list })

describe('orders', () => {
  test('both legs of a pair and the exits of a bracket are rows of their own', () => {
    const pair = placed(view('o1', { oco: 'o1.stop' }), view('o1.stop', { type: 'stop', oco: 'o1' }))
    const exit = view('o2.tp', { parent: 'o2', reduce_only: true })
    const { orders } = rowsOf([
      ...records(1, pair),
      ...records(2, placed(view('o2')), changed('o2.tp', 'working', exit)),
    ])
    expect(orders.map((row) => [row.order_id, row.aseq, row.parent, row.oco, row.reduce_only])).toEqual([
      ['o1', 1, null, 'o1.stop', false],
      ['o1.stop', 1, null, 'o1', false],
      ['o2', 2, null, null, false],
      ['o2.tp', 3, 'o2', null, true],
    ])
  })
  test('of an earlier commit are changed by name, to how they stand now', () => {
    const now = view('o7', { quantity: '20', price: '101' })
    const { orders, order_changes } = rowsOf(
      records(
        9,
        changed('o7', 'amended', now),
        filled('o7', { id: 'o7', quantity: '3' }, '3'),
        changed('o7', 'cancelled'),
      ),
    )
    expect(orders).toEqual([])
    expect(order_changes).toMatchObject([
      { order_id: 'o7', quantity: '20', price: '101', filled: '3', status: 'cancelled' },
    ])
  })
  test('what an end, a lock, a stop-out or a settlement closes is no order', () => {
    for (const name of ['close', 'lock', 'flat', 'stop_out', 'settlement']) {
      const rows = rowsOf(records(1, filled(name, { id: 'o1', quantity: '0' })))
      expect([rows.orders, rows.order_changes, rows.fills.length]).toEqual([[], [], 1])
    }
  })
})

test('a netting account has one position a symbol, a hedging one a row a ticket', () => {
  const fills = records(3, filled('o1', { id: 'o1', quantity: '10' }), filled('o2', { id: 'o2', quantity: '-4' }))
  expect(rowsOf(fills).positions).toMatchObject([{ symbol: 'TST/USD', ticket: '', position_id: 'o2', quantity: '-4' }])
  expect(rowsOf(fills, true).positions).toMatchObject([
    { ticket: 'o1', quantity: '10' },
    { ticket: 'o2', quantity: '-4' },
  ])
})

const booked = { amount: '-1', currency: 'USD', rate: '1', rate_mseq: [], booked: '-1.00' }
const carry: Body = {
  kind: 'carry',
  phase: 0,
  what: 'funding',
  position: 'o1',
  symbol: 'TST/USD',
  quantity: '10',
  mark: '100',
  rate: '0.001',
  rate_mseq: null,
  booked,
  postings: [
    { ledger: 'account:cash', amount: '-1.00' },
    { ledger: 'house:funding', amount: '1.00' },
  ],
}
test('swap and funding are transactions of the ledger', () => {
  const { ledger_transaction, ledger_entry } = rowsOf(records(4, carry))
  expect(ledger_transaction).toMatchObject([{ aseq: 4, kind: 'carry' }])
  expect(ledger_entry.map(({ ledger, amount }) => [ledger, amount])).toEqual([
    ['account:cash', '-1.00'],
    ['house:funding', '1.00'],
  ])
})

test('what leaves for the bus fits the schema of its topic, for every kind of record', () => {
  const told = eventsOf(
    'a1',
    records(
      1,
      placed(view('o1')),
      changed('o1.tp', 'working', view('o1.tp', { parent: 'o1', trail: { pct: '1' }, type: 'trailing_stop' })),
      changed('o1', 'triggered', view('o1', { stop_price: '90' })),
      changed('o1', 'amended', view('o1')),
      { kind: 'order', phase: 0, order: 'o1', status: 'expired', filled: '0' },
      filled('stop_out', { id: 'o1', quantity: '0' }),
      carry,
      { kind: 'warning', phase: 0, rule: 'max_loss', index: 0, fraction: '0.5', value: '9', limit: '8' },
      { kind: 'lock', phase: 0, rule: 'max_loss', index: 0, until: 5 },
      { kind: 'lock', phase: 0, rule: null, index: null, until: null },
      { kind: 'pause', phase: 0, paused: true, count: 1 },
      { kind: 'pause', phase: 0, paused: false, count: 1, reason: 'max_pause_days' },
      { kind: 'phase', phase: 0, status: 'expired', balance: '1', postings: [] },
    ),
  )
  for (const { topic, data } of told) expect(topicNamed(topic).schema.parse(data)).toEqual(data)
  expect(told.map(({ topic }) => topic)).toEqual([
    'trading.order-placed',
    'trading.order-placed',
    'trading.order-triggered',
    'trading.order-amended',
    'trading.order-expired',
    'trading.order-filled',
    'trading.position-closed',
    'rules.warning',
    'rules.locked',
    'rules.locked',
    'assessment.paused',
    'assessment.resumed',
    'assessment.phase-changed',
  ])
})
