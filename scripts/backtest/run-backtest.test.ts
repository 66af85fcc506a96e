/** Every operation, booking and rule effect through the door of `assay backtest`, each proof verified. */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyProof } from '@assay/core/domain/proof/verify'
import { runBacktest } from './run-backtest.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-backtest-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const PERP = {
  symbol: 'TST/USD:USD',
  price_tick: '0.01',
  quantity_step: '1',
  min_quantity: '1',
  margin_rate: '0.1',
  commission: { bps: '0' },
  slippage_bps: '0',
}
/** A time of the first of March 2024. */
const at = (time: string) => `2024-03-01T${time}Z`
type Line = Record<string, unknown>
let runs = 0
/** Prices with a spread of 0.02 around what is said. */
async function run(quotes: [time: string, price: number][], more: { tier?: object; orders?: Line[]; events?: Line[] }) {
  const name = `r${++runs}`
  const recording = join(folder, `${name}.csv`)
  const rows = quotes.map(([t, p]) => `${at(t)},TST/USD:USD,${(p - 0.01).toFixed(2)},${(p + 0.01).toFixed(2)}`)
  writeFileSync(recording, `timestamp,symbol,bid,ask\n${rows.join('\n')}\n`)
  const lines = (list: Line[] = []) => list.map((line) => JSON.stringify(line)).join('\n')
  const tier = {
    name,
    currency: 'USD',
    initial_balance: '10000',
    leverage: '10',
    instruments: [PERP],
    phases: [{ kind: 'evaluation', rules: [{ rule: 'max_loss', limit: { pct: '50' } }] }],
    ...more.tier,
  }
  const out = join(folder, name)
  const { result, keys } = await runBacktest({
    recording,
    tier,
    orders: lines(more.orders),
    ordersName: 'orders.jsonl',
    events: lines(more.events),
    eventsName: 'events.jsonl',
    out,
  })
  const verified = await verifyProof(readFileSync(result.proof!), {
    keys: JSON.parse(readFileSync(keys!, 'utf8')).keys,
  })
  expect(verified).toMatchObject({ exit: 0 })
  return result
}
const order = (time: string, more: Line = {}): Line => ({
  at: at(time),
  op: 'order',
  symbol: 'TST/USD:USD',
  side: 'buy',
  type: 'market',
  quantity: '10',
  ...more,
})

describe('a command list', () => {
  test('has brackets, pairs, amendments, cancels and closes; orders say how each ended', async () => {
    const result = await run(
      [
        ['09:00:00', 100],
        ['09:01:00', 110],
        ['09:02:00', 120],
        ['09:03:00', 120],
      ],
      {
        orders: [
          order('09:00:10', { type: 'bracket', client_order_id: 'b', take_profit: { price: '109' } }),
          order('09:01:10', { type: 'oco', price: '90', stop_price: '130', client_order_id: 'pair' }),
          { at: at('09:01:20'), op: 'amend', order: 'client:pair', price: '95' },
          order('09:01:30', { type: 'limit', price: '80', client_order_id: 'low' }),
          { at: at('09:01:40'), op: 'cancel', client_order_id: 'low' },
          { at: at('09:02:10'), op: 'cancel_all' },
          order('09:02:20', { quantity: '4' }),
          { at: at('09:02:30'), op: 'close', symbol: 'TST/USD:USD', quantity: '1', client_order_id: 'c' },
          { at: at('09:02:40'), op: 'close', position: 'TST/USD:USD' },
          { at: at('09:02:50'), op: 'close', position: 'TST/USD:USD' },
        ],
      },
    )
    expect(result.fills.map((f) => [f.client_order_id, f.side, f.quantity, f.price])).toEqual([
      ['b', 'buy', '10', '100.01'],
      ['b', 'sell', '10', '109'],
      [null, 'buy', '4', '120.01'],
      ['c', 'sell', '1', '119.99'],
      [null, 'sell', '3', '119.99'],
    ])
    const ended = new Map(result.orders.map((o) => [o.order, o]))
    const [entry, low] = [result.orders[0]!.order, result.orders.find((o) => o.client_order_id === 'low')!]
    expect(ended.get(`${entry}.tp`)).toMatchObject({ status: 'filled', type: 'limit', client_order_id: 'b' })
    expect(low).toMatchObject({ status: 'cancelled', reason: 'requested' })
    const pair = result.orders.filter((o) => o.client_order_id === 'pair')
    expect(pair.map((o) => [o.type, o.status])).toEqual([
      ['limit', 'cancelled'],
      ['stop', 'cancelled'],
    ])
    expect(result.rejected).toMatchObject([{ code: 'position_not_open' }])
  })
  test.each([
    [order('09:00:10', { type: 'oco', price: '1' }), 'orders.jsonl:1: stop_price'],
    [{ at: at('09:00:10'), op: 'amend', price: '1' }, 'orders.jsonl:1: order'],
    [{ at: at('09:00:10'), op: 'amend', order: 'o3' }, 'orders.jsonl:1: say what changes'],
    [{ at: at('09:00:10'), op: 'close' }, 'orders.jsonl:1: position'],
    [{ at: at('09:00:10'), op: 'wait' }, 'orders.jsonl:1: op'],
    [{ at: 'yesterday', op: 'cancel_all' }, 'orders.jsonl:1: at'],
  ])('names line and field of what it cannot read: %j', async (line, said) => {
    expect(run([['09:00:00', 100]], { orders: [line] })).rejects.toThrow(said)
  })
})

describe('what a recording of prices lacks', () => {
  const funding = { every_hours: 8, rate: '0.001' }
  test('comes as events: a funding rate told while flat counts at the next instant, a settlement closes', async () => {
    const result = await run(
      [
        ['07:00:00', 100],
        ['07:15:00', 100],
        ['07:16:00', 100],
        ['07:30:00', 100],
        ['08:30:00', 100],
        ['09:00:00', 100],
      ],
      {
        tier: { instruments: [{ ...PERP, funding }] },
        events: [
          { at: at('07:10:00'), kind: 'rate', symbol: 'TST/USD:USD', what: 'funding', rate: '0.01' },
          { at: at('08:40:00'), kind: 'symbol_state', symbol: 'TST/USD:USD', state: 'settled', price: '150' },
        ],
        orders: [order('07:20:00', { client_order_id: 'a' })],
      },
    )
    expect(result.carry).toMatchObject([
      { what: 'funding', at: at('08:00:00').replace('Z', '.000Z'), booked: '-10.00' },
    ])
    expect(result.fills.at(-1)).toMatchObject({ order: 'settlement', price: '150', source: { kind: 'settlement' } })
    expect(result.balance).toBe('10489.90')
  })
  test.each([
    [{ kind: 'rate', symbol: 'A/B', what: 'funding' }, 'events.jsonl:1: rate'],
    [{ kind: 'rate', symbol: 'A/B', what: 'swap', long: '1' }, 'events.jsonl:1: short'],
    [{ kind: 'symbol_state', symbol: 'A/B', state: 'open', price: '1' }, 'events.jsonl:1: price'],
  ])('names line and field of what it cannot read: %j', async (line, said) => {
    expect(run([['09:00:00', 100]], { events: [{ at: at('09:00:00'), ...line }] })).rejects.toThrow(said)
  })
})

describe('a tier', () => {
  test('brings its own calendars: outside its sessions the market is closed', async () => {
    const calendars = [
      {
        kind: 'sessions',
        name: 'own',
        zone: 'UTC',
        weekly: [{ from: { day: 5, time: '09:30' }, to: { day: 5, time: '17:00' } }],
      },
    ]
    const result = await run(
      [
        ['09:00:00', 100],
        ['09:40:00', 100],
        ['09:50:00', 100],
      ],
      {
        tier: { calendars, instruments: [{ ...PERP, session_calendar: 'own' }] },
        orders: [order('09:10:00', { client_order_id: 'early' }), order('09:41:00', { client_order_id: 'open' })],
      },
    )
    expect(result.rejected).toMatchObject([{ client_order_id: 'early', code: 'market_closed' }])
    expect(result.fills).toMatchObject([{ client_order_id: 'open' }])
  })
  test('warns, locks and unlocks; a soft breach is listed with its effect, what is read elsewhere as not simulated', async () => {
    const rules = [
      { rule: 'max_loss', limit: { pct: '50' } },
      { rule: 'max_daily_loss', anchor: 'balance', limit: { amount: '100' }, effect: 'soft' },
      { rule: 'detectors', detect: ['grid'] },
    ]
    const result = await run(
      [
        ['22:00:00', 100],
        ['22:01:00', 94],
        ['22:02:00', 89],
        ['22:03:00', 89],
      ],
      {
        tier: { phases: [{ kind: 'evaluation', rules }] },
        orders: [
          order('22:00:10'),
          order('22:02:10', { client_order_id: 'locked' }),
          order('22:03:10', { at: '2024-03-02T00:00:10Z', client_order_id: 'tomorrow' }),
        ],
      },
    )
    expect(result.verdict).toBe('open')
    expect(result.warnings.map((w) => [w.rule, w.fraction])).toContainEqual(['max_daily_loss', '0.5'])
    expect(result.violations).toMatchObject([{ rule: 'max_daily_loss', effect: 'soft', attributed: true }])
    expect(result.locks).toMatchObject([{ rule: 'max_daily_loss', until: '2024-03-02T00:00:00.000Z' }, { rule: null }])
    expect(result.rejected).toMatchObject([
      { client_order_id: 'locked', code: 'account_locked' },
      { code: 'market_stale' },
    ])
    expect(result.fills.at(-1)).toMatchObject({ order: 'lock' })
    expect(result.not_simulated).toEqual(['detectors'])
  })
})
