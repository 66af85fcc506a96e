/** The hand-checked vectors of the rule book by number, from 16 on: consistency, zones, targets, news, scaling. */
import { afterAll, describe, expect, test } from 'bun:test'
import { daily, daysOf, floorsOf, overall, type Quote, removeVectors, run, T, tradable } from './vector-run.ts'

afterAll(removeVectors)

const consistent = (basis: string, share: string, more: object = {}) => ({ rule: 'consistency', basis, share, ...more })

test('vector 16: with a share of 0.5 and a target of 3,000 the days +3,000, +1,000, +2,000 pass on day 3', async () => {
  const { quotes, trades } = daysOf([3000, 1000, 2000])
  const result = await run([{ rule: 'profit_target', amount: '3000' }, consistent('total', '0.5')], quotes, trades)
  expect(result).toMatchObject({
    verdict: 'passed',
    at: T('06T10:00:01.000'),
    target_reached_at: T('04T10:00:01.000'),
  })
})

for (const [last, verdict] of [
  [1499, 'open'],
  [1500, 'passed'],
] as const) {
  test(`vector 17: with a best day of 3,000 and a share of 0.4 a total of ${6000 + last} is ${verdict}: the target is 7,500`, async () => {
    const { quotes, trades } = daysOf([3000, 3000, last])
    const result = await run([{ rule: 'profit_target', amount: '3000' }, consistent('total', '0.4')], quotes, trades)
    expect(result.verdict).toBe(verdict)
  })
}

for (const [basis, verdict] of [
  ['total', 'open'],
  ['positive_days', 'passed'],
] as const) {
  test(`vector 18: +500, -400, +500 with a share of 0.5 of ${basis} is ${verdict}`, async () => {
    const { quotes, trades } = daysOf([500, -400, 500])
    const result = await run([{ rule: 'profit_target', amount: '600' }, consistent(basis, '0.5')], quotes, trades)
    expect(result.verdict).toBe(verdict)
  })
}

for (const [n, verdict] of [
  [1, 'passed'],
  [2, 'open'],
] as const) {
  test(`vector 19: opened on Monday at 23:59 in Prague and closed on Wednesday is one of ${n} trading days: ${verdict}`, async () => {
    const result = await run(
      [
        { rule: 'profit_target', amount: '1000' },
        { rule: 'min_trading_days', n, counts: 'opened' },
      ],
      [
        [T('04T22:58:00'), '100'],
        [T('06T10:00:00'), '101'],
        [T('07T10:00:00'), '101'],
      ],
      [
        [T('04T22:59:00'), 'buy', '1000'],
        [T('06T10:30:00'), 'sell', '1000'],
      ],
    )
    expect(result.verdict).toBe(verdict)
    // the result belongs to Wednesday: it is in the balance from the reset that ends it on
    const balances = result.days.map((d) => d.balance)
    expect(balances).toEqual(n === 1 ? ['100000.00', '100000.00'] : ['100000.00', '100000.00', '101000.00'])
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

for (const [limit, floor] of [
  [{ ratio: '0.06' }, '103400.00'],
  [{ pct: '6' }, '104000.00'],
] as const) {
  test(`vector 21: a high-water mark of 110,000 with ${JSON.stringify(limit)} gives ${floor}`, async () => {
    const { quotes, trades } = daysOf([10_000])
    const result = await run([overall({ mode: 'eod_balance', limit })], quotes, trades)
    expect(floorsOf(result, 'max_loss')).toEqual(['94000.00', floor])
  })
}

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

describe('vector 24: news at 14:30:00 with two minutes on each side', () => {
  const news = {
    name: 'economic',
    version: 1,
    kind: 'news',
    events: [{ at: T('04T14:30:00'), currency: 'USD', impact: 'high', title: 'CPI' }],
  }
  const at = (time: string, effect: string, stop?: string) =>
    run(
      [
        overall(),
        {
          rule: 'news_window',
          calendar: 'economic',
          before_s: 120,
          after_s: 120,
          forbids: ['open', 'close', 'activation', 'stop_trigger'],
          effect,
        },
      ],
      [
        [T('04T14:00:00'), '100'],
        [T('04T14:27:59.500'), '100'],
        [T('04T14:31:00'), '98'],
        [T('04T14:32:00.001'), '98'],
      ],
      [
        {
          at: T('04T14:10:00'),
          op: 'order',
          symbol: 'TST/USD',
          side: 'buy',
          type: 'market',
          quantity: '100',
          ...(stop ? { stop_loss: { stop_price: stop } } : {}),
        },
        ...(stop ? [] : [{ at: time, op: 'close', position: 'TST/USD' }]),
      ],
      { calendars: [news] },
    )
  test('a close at 14:28:00 is refused', async () => {
    const result = await at(T('04T14:28:00'), 'gate')
    expect(result.rejected.map((r) => [r.code, r.at])).toEqual([['rule_refused', T('04T14:28:00.000')]])
    expect(result.fills).toHaveLength(1)
  })
  test('a close at 14:28:00 is a breach where the rule fails', async () => {
    const result = await at(T('04T14:28:00'), 'hard')
    expect(result).toMatchObject({ verdict: 'failed', rule: 'news_window', at: T('04T14:28:00.000') })
  })
  for (const effect of ['gate', 'hard']) {
    test(`a close at 14:27:59.999 is allowed (${effect})`, async () => {
      const result = await at(T('04T14:27:59.999'), effect)
      expect([result.verdict, result.rejected, result.fills.length]).toEqual(['open', [], 2])
    })
  }
  test('a stop that triggers at 14:31:00 is a breach', async () => {
    const result = await at('', 'hard', '99')
    expect(result).toMatchObject({ verdict: 'failed', rule: 'news_window', at: T('04T14:31:00.000') })
  })
  test('a stop that is reached at 14:31:00 is held back until the window is over', async () => {
    const result = await at('', 'gate', '99')
    expect(result.fills.map((f) => f.at)).toEqual([T('04T14:10:00.000'), T('04T14:32:00.001')])
  })
})

for (const [symbols, verdict] of [
  [['TST/USD', 'TST/USD', 'TST/USD'], 'failed'],
  [['TST/USD', 'ONE/USD', 'TWO/USD'], 'open'],
] as const) {
  test(`vector 25: three overlapping buys in ${new Set(symbols).size} symbols that lose 700 each are ${verdict} under 2 %`, async () => {
    const all = ['TST/USD', 'ONE/USD', 'TWO/USD']
    const buys = symbols.map((symbol, i) => ({
      at: T(`04T08:3${i}:00`),
      op: 'order',
      symbol,
      side: 'buy',
      type: 'market',
      quantity: '100',
    }))
    const result = await run(
      [{ rule: 'max_risk_per_idea', pct: '2', within_s: 120 }],
      [
        ...all.map((symbol): Quote => [T('04T08:00:00'), '100', symbol]),
        ...all.map((symbol): Quote => [T('04T09:00:00'), '93', symbol]),
        [T('04T10:00:00'), '93'],
      ],
      buys,
      { instruments: all.map((symbol) => tradable(symbol)) },
    )
    expect(result.verdict).toBe(verdict)
    if (verdict === 'failed')
      expect(result).toMatchObject({ rule: 'max_risk_per_idea', value: '2100.00', limit: '2000.00' })
  })
}

describe('vector 26: 50,000 with a trail of 2,500 and an offset of 100 doubles its size above 52,600', () => {
  const plan = { rule: 'scaling_plan', base: '5', steps: [{ above: '52600', max: '10' }], keeps: true }
  const after = (first: number, second: number) => {
    const days = daysOf([first, second])
    const buy = (day: string) => ({
      at: T(`${day}T08:30:00`),
      op: 'order',
      symbol: 'BIG/USD',
      side: 'buy',
      type: 'limit',
      price: '50',
      quantity: '6',
    })
    return run(
      [overall({ mode: 'eod_balance', limit: { amount: '2500' } }), plan],
      [...days.quotes, [T('05T08:00:01'), '100', 'BIG/USD'], [T('07T08:00:00'), '100']].sort((a, b) =>
        a[0]! < b[0]! ? -1 : 1,
      ) as Quote[],
      [
        ...days.trades.map((t) => {
          const [at, side, quantity] = t as [string, 'buy' | 'sell', string]
          return [at, side, String(Number(quantity) / 200)] as [string, 'buy' | 'sell', string]
        }),
        buy('05'),
        { at: T('05T08:31:00'), op: 'cancel_all' },
        buy('06'),
      ],
      { initial_balance: '50000', instruments: [tradable('TST/USD', { contract_size: '200' }), tradable('BIG/USD')] },
    )
  }
  test('52,600 is not exceeded: 6 are refused under 5', async () => {
    const result = await after(2600, 0)
    expect(result.days[0]!.balance).toBe('52600.00')
    expect(result.rejected.map((r) => [r.code, r.at])).toEqual([
      ['rule_refused', T('05T08:30:00.000')],
      ['rule_refused', T('06T08:30:00.000')],
    ])
  })
  test('52,601 allows 10, and 10 stays after a loss', async () => {
    const result = await after(2601, -1000)
    expect(result.days.slice(0, 2).map((d) => d.balance)).toEqual(['52601.00', '51601.00'])
    expect(result.rejected).toEqual([])
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
