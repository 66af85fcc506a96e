/** The hand-checked vectors of the rule book by number, through the same door as `assay backtest`. */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runBacktest } from './run-backtest.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-vectors-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const TST = {
  symbol: 'TST/USD',
  kind: 'spot',
  base: 'TST',
  quote: 'USD',
  contract_size: '1',
  price_tick: '0.001',
  quantity_step: '1',
  min_quantity: '1',
  max_quantity: '1000000',
  margin_rate: '0.01',
  commission: { bps: '0' },
  slippage_bps: '0',
  clip: '1000000',
  stale_limit_ms: null,
}
const daily = (more: object = {}) => ({
  rule: 'max_daily_loss',
  anchor: 'balance',
  limit: { pct: '5', of: 'initial' },
  ...more,
})
const overall = (more: object = {}) => ({ rule: 'max_loss', mode: 'static', limit: { pct: '10' }, ...more })

type Quote = [time: string, price: string]
type Trade = [time: string, side: 'buy' | 'sell', quantity: string]
let files = 0
/** Prices with bid = ask, orders at market, one rule set. */
async function run(rules: object[], quotes: Quote[], trades: Trade[], more: object = {}) {
  const recording = join(folder, `r${++files}.csv`)
  writeFileSync(recording, `timestamp,symbol,bid,ask\n${quotes.map(([t, p]) => `${t},TST/USD,${p},${p}`).join('\n')}\n`)
  const orders = trades
    .map(([at, side, quantity]) =>
      JSON.stringify({ at, op: 'order', symbol: 'TST/USD', side, type: 'market', quantity }),
    )
    .join('\n')
  const tier = {
    name: 'vector',
    currency: 'USD',
    initial_balance: '100000',
    leverage: '100',
    reset_zone: 'Europe/Prague',
    reset_time: '00:00',
    instruments: [TST],
    phases: [{ kind: 'evaluation', rules }],
    ...more,
  }
  const { result } = await runBacktest({ recording, tier, orders, ordersName: 'orders', out: null })
  return result
}
const floorsOf = (result: Awaited<ReturnType<typeof run>>, rule = 'max_daily_loss') =>
  result.floors.filter((f) => f.rule === rule).map((f) => f.floor)
// Monday 4 March 2024, Prague is UTC+1: its midnight is 23:00 UTC
const T = (text: string): string => `2024-03-${text}Z`

test('vector 1: at midnight the floor jumps to 194,000 and an equity of 191,000 breaches with no tick', async () => {
  const result = await run(
    [daily()],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '104'],
      [T('04T22:59:00'), '91'],
      [T('05T08:00:00'), '91'],
    ],
    [
      [T('04T08:30:00'), 'buy', '1000'],
      [T('04T09:30:00'), 'sell', '1000'],
      [T('04T09:31:00'), 'buy', '1000'],
    ],
    { initial_balance: '200000' },
  )
  expect(floorsOf(result)).toEqual(['190000.00', '194000.00'])
  expect(result).toMatchObject({
    verdict: 'failed',
    rule: 'max_daily_loss',
    at: '2024-03-04T23:00:00.000Z',
    value: '191000.00',
    limit: '194000.00',
  })
})

describe('vector 2: static 10 % of 100,000 with a balance of 92,000', () => {
  const to = (price: string, compare: string) =>
    run(
      [overall({ compare })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '92'],
        [T('04T10:00:00'), price],
        [T('04T11:00:00'), price],
      ],
      [
        [T('04T08:30:00'), 'buy', '1000'],
        [T('04T09:30:00'), 'sell', '1000'],
        [T('04T09:31:00'), 'buy', '1000'],
      ],
    )
  test('-2,001 floating breaches', async () =>
    expect(await to('89.999', 'lt')).toMatchObject({ verdict: 'failed', value: '89999.00', limit: '90000.00' }))
  test('-2,000 is allowed under lt', async () => expect((await to('90', 'lt')).verdict).toBe('open'))
  test('-2,000 breaches under lte', async () =>
    expect(await to('90', 'lte')).toMatchObject({ verdict: 'failed', value: '90000.00' }))
})

test('vector 5: 105,000 at 00:30 UTC gives a floor of 100,800', async () => {
  const result = await run(
    [daily({ limit: { pct: '4', of: 'anchor' } })],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '105'],
      [T('05T08:00:00'), '105'],
    ],
    [
      [T('04T08:30:00'), 'buy', '1000'],
      [T('04T09:30:00'), 'sell', '1000'],
    ],
    { reset_zone: 'UTC', reset_time: '00:30' },
  )
  expect(result.days[0]).toMatchObject({ day: '2024-03-05', balance: '105000.00' })
  expect(floorsOf(result)).toEqual(['96000.00', '100800.00'])
})

test('vector 6: with the higher of balance and equity the floor lies above the balance, and +4,999 breaches', async () => {
  const result = await run(
    [daily({ anchor: 'max' })],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '110'],
      [T('05T08:00:00'), '105'],
      [T('05T09:00:00'), '104.999'],
    ],
    [[T('04T08:30:00'), 'buy', '1000']],
  )
  expect(floorsOf(result)).toEqual(['95000.00', '105000.00'])
  expect(result).toMatchObject({
    verdict: 'failed',
    at: '2024-03-05T09:00:00.000Z',
    value: '104999.00',
    limit: '105000.00',
  })
})

for (const [equity, price] of [
  ['101000.00', '101'],
  ['99000.00', '99'],
] as const) {
  test(`vector 7: anchored on balance the floor is 95,000 with an equity of ${equity} at the reset`, async () => {
    const result = await run(
      [daily()],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), price],
        [T('05T08:00:00'), price],
      ],
      [[T('04T08:30:00'), 'buy', '1000']],
    )
    expect(floorsOf(result)).toEqual(['95000.00'])
    expect(result.days[0]).toMatchObject({ balance: '100000.00', equity })
  })
}

for (const [price, floor] of [
  ['102', '98940.00'],
  ['98', '97000.00'],
] as const) {
  test(`vector 8: 3 % of the higher of balance and equity gives ${floor}`, async () => {
    const result = await run(
      [daily({ anchor: 'max', limit: { pct: '3', of: 'anchor' } })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), price],
        [T('05T08:00:00'), price],
      ],
      [[T('04T08:30:00'), 'buy', '1000']],
    )
    expect(floorsOf(result).at(-1)).toBe(floor)
  })
}

test('vector 9: 5 % of the equity at the reset: 103,000 gives 97,850, 101,000 gives 95,950', async () => {
  const result = await run(
    [daily({ anchor: 'equity', limit: { pct: '5', of: 'anchor' } })],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '103'],
      [T('05T08:00:00'), '101'],
      [T('06T08:00:00'), '101'],
    ],
    [[T('04T08:30:00'), 'buy', '1000']],
  )
  expect(floorsOf(result)).toEqual(['95000.00', '97850.00', '95950.00'])
})

for (const [of, floor, verdict] of [
  ['initial', '97000.00', 'failed'],
  ['anchor', '96900.00', 'open'],
] as const) {
  test(`vector 14: after 102,000, 5 % of ${of} gives ${floor} and an equity of 96,950 is ${verdict}`, async () => {
    const result = await run(
      [daily({ limit: { pct: '5', of } })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '102'],
        [T('05T08:00:00'), '102'],
        [T('05T09:00:00'), '96.95'],
        [T('05T10:00:00'), '97'],
      ],
      [
        [T('04T08:30:00'), 'buy', '1000'],
        [T('04T09:30:00'), 'sell', '1000'],
        [T('05T08:30:00'), 'buy', '1000'],
      ],
    )
    expect(floorsOf(result).at(-1)).toBe(floor)
    expect(result.verdict).toBe(verdict)
  })
}

for (const [tested, verdict] of [
  ['always', 'failed'],
  ['reset', 'open'],
] as const) {
  test(`vector 15: -6,000 then +2,000 with an allowance of 5,000 tested ${tested} is ${verdict}`, async () => {
    const result = await run(
      [daily({ limit: { amount: '5000' }, tested })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '94'],
        [T('04T10:00:00'), '96'],
        [T('05T08:00:00'), '96'],
      ],
      [[T('04T08:30:00'), 'buy', '1000']],
    )
    expect(result.verdict).toBe(verdict)
    if (verdict === 'failed') expect(result).toMatchObject({ value: '94000.00', limit: '95000.00' })
    else expect(result.days[0]).toMatchObject({ equity: '96000.00' })
  })
}

test('vector 20: 26 March 2023 in Prague has 23 hours, then resets come at 22:00 UTC', async () => {
  const quotes: Quote[] = ['25T12:00:00', '26T12:00:00', '27T12:00:00', '28T12:00:00'].map((t) => [
    `2023-03-${t}Z`,
    '100',
  ])
  const result = await run([daily({ anchor: 'equity' })], quotes, [])
  expect(result.days.map((d) => d.day)).toEqual(['2023-03-26', '2023-03-27', '2023-03-28'])
  const changing = await run(
    [daily({ anchor: 'equity', limit: { pct: '5', of: 'anchor' } })],
    [
      ['2023-03-25T12:00:00Z', '100'],
      ['2023-03-25T22:59:59Z', '101'],
      ['2023-03-26T21:59:59Z', '102'],
      ['2023-03-26T22:00:01Z', '103'],
      ['2023-03-27T22:00:01Z', '104'],
    ],
    [['2023-03-25T12:00:00Z', 'buy', '1000']],
  )
  expect(changing.floors.map((f) => [f.at, f.floor])).toEqual([
    ['2023-03-25T12:00:00.000Z', '95000.00'],
    ['2023-03-25T23:00:00.000Z', '95950.00'],
    ['2023-03-26T22:00:00.000Z', '96900.00'],
    ['2023-03-27T22:00:00.000Z', '97850.00'],
  ])
})

test('vector 22: one print through 97,000 and 94,000 is one violation of the daily rule, both recorded', async () => {
  const result = await run(
    [daily({ limit: { amount: '3000' } }), overall({ limit: { amount: '6000' } })],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '93'],
      [T('04T10:00:00'), '99'],
    ],
    [[T('04T08:30:00'), 'buy', '1000']],
  )
  expect(result.violations.map((v) => [v.rule, v.limit, v.attributed])).toEqual([
    ['max_daily_loss', '97000.00', true],
    ['max_loss', '94000.00', false],
  ])
  expect(result).toMatchObject({ verdict: 'failed', rule: 'max_daily_loss', value: '93000.00' })
})

test('vector 23: a target that was reached is kept when a breach before the minimum days fails the phase', async () => {
  const result = await run(
    [{ rule: 'profit_target', pct: '8' }, daily(), { rule: 'min_trading_days', n: 4, counts: 'opened' }],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '108'],
      [T('05T08:00:00'), '108'],
      [T('05T09:00:00'), '102'],
    ],
    [
      [T('04T08:30:00'), 'buy', '1000'],
      [T('04T09:30:00'), 'sell', '1000'],
      [T('05T08:30:00'), 'buy', '1000'],
    ],
  )
  expect(result).toMatchObject({
    verdict: 'failed',
    rule: 'max_daily_loss',
    target_reached_at: '2024-03-04T09:30:00.000Z',
  })
})

for (const [compare, verdict] of [
  ['lt', 'open'],
  ['lte', 'failed'],
] as const) {
  test(`vector 27: 3 % below the day's highest equity: 101,000 is ${verdict} under ${compare}`, async () => {
    const result = await run(
      [daily({ anchor: 'day_high', limit: { pct: '3', of: 'initial' }, compare })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '104'],
        [T('04T10:00:00'), '101'],
        [T('04T11:00:00'), '101.5'],
        [T('05T08:00:00'), '101.5'],
      ],
      [[T('04T08:30:00'), 'buy', '1000']],
    )
    expect(result.verdict).toBe(verdict)
    expect(floorsOf(result).slice(0, 2)).toEqual(['97000.00', '101000.00'])
    if (verdict === 'open') expect(floorsOf(result).at(-1)).toBe('98500.00')
  })
}
