/** The hand-checked vectors of the rule book by number, through the same door as `assay backtest`. */
import { afterAll, describe, expect, test } from 'bun:test'
import { daily, daysOf, floorsOf, overall, type Quote, removeVectors, run, T, tradable } from './vector-run.ts'

afterAll(removeVectors)

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

test('vector 3: end-of-day balances of 104,000 then 103,000 give floors of 90,000, 94,000 and 94,000', async () => {
  const { quotes, trades } = daysOf([4000, -1000])
  const fall: Quote[] = [
    [T('06T09:00:00'), '90'],
    [T('06T10:00:00'), '89.999'],
  ]
  const result = await run(
    [overall({ mode: 'eod_balance' })],
    [...quotes, ...fall],
    [...trades, [T('06T08:30:00'), 'buy', '900']],
  )
  expect(result.days.map((d) => d.balance)).toEqual(['104000.00', '103000.00'])
  expect(floorsOf(result, 'max_loss')).toEqual(['90000.00', '94000.00'])
  expect(result).toMatchObject({ verdict: 'failed', value: '93999.10', limit: '94000.00' })
})

for (const [lock, floors] of [
  [{ at: 'initial' }, ['48000.00', '48500.00', '50000.00']],
  [null, ['48000.00', '48500.00', '50500.00']],
] as const) {
  test(`vector 4: 50,500, 50,000 and 52,500 at the end of the day with 2,000 and ${lock ? 'a lock at B0' : 'no lock'}`, async () => {
    const { quotes, trades } = daysOf([500, -500, 2500])
    const result = await run([overall({ mode: 'eod_balance', limit: { amount: '2000' }, lock })], quotes, trades, {
      initial_balance: '50000',
    })
    expect(result.days.map((d) => d.balance)).toEqual(['50500.00', '50000.00', '52500.00'])
    expect(floorsOf(result, 'max_loss')).toEqual([...floors])
  })
}

describe('vector 10: a cap and a floor of 3 % of B0 around an equity of 101,000', () => {
  const cap = { rule: 'daily_profit_cap', anchor: 'equity', limit: { pct: '3', of: 'initial' }, effect: 'soft' }
  const to = (price: string) =>
    run(
      [daily({ anchor: 'equity', limit: { pct: '3', of: 'initial' }, effect: 'soft' }), cap],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '101'],
        [T('05T09:00:00'), price],
        [T('05T10:00:00'), '101'],
      ],
      [
        [T('04T08:30:00'), 'buy', '1000'],
        { at: T('05T09:30:00'), op: 'order', symbol: 'TST/USD', side: 'buy', type: 'market', quantity: '1' },
      ],
    )
  for (const [price, rule] of [
    ['98', null],
    ['97.999', 'max_daily_loss'],
    ['104', null],
    ['104.001', 'daily_profit_cap'],
  ] as const) {
    test(`${price} is ${rule ?? 'inside'}`, async () => {
      const result = await to(price)
      expect(result.verdict).toBe('open')
      expect(result.violations.map((v) => v.rule)).toEqual(rule ? [rule] : [])
      expect(result.rejected.map((r) => r.code)).toEqual(rule ? ['account_locked'] : [])
      expect([floorsOf(result).at(-1), floorsOf(result, 'daily_profit_cap').at(-1)]).toEqual(['98000.00', '104000.00'])
    })
  }
})

test('vector 11: a trail of 3,000 on the end of the day ignores the spike, and fails above B0', async () => {
  const result = await run(
    [overall({ mode: 'eod_equity', limit: { amount: '3000' } })],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '104'],
      [T('04T10:00:00'), '99.5'],
      [T('05T10:00:00'), '104.5'],
      [T('06T10:00:00'), '101'],
    ],
    [[T('04T08:30:00'), 'buy', '1000']],
  )
  expect(result.days.map((d) => d.equity)).toEqual(['99500.00', '104500.00'])
  expect(floorsOf(result, 'max_loss')).toEqual(['97000.00', '101500.00'])
  expect(result).toMatchObject({ verdict: 'failed', value: '101000.00', limit: '101500.00' })
})

for (const [mode, floor, verdict] of [
  ['intraday_equity', '99000.00', 'failed'],
  ['static', '97000.00', 'open'],
] as const) {
  test(`vector 12: a peak of 102,000 then 98,500 with ${mode} 3,000 is ${verdict}`, async () => {
    const result = await run(
      [overall({ mode, limit: { amount: '3000' } })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '102'],
        [T('04T10:00:00'), '98.5'],
      ],
      [[T('04T08:30:00'), 'buy', '1000']],
    )
    expect(result.verdict).toBe(verdict)
    if (verdict === 'failed') expect(result).toMatchObject({ value: '98500.00', limit: floor })
    else expect(floorsOf(result, 'max_loss')).toEqual([floor])
  })
}

for (const [offset, compare, verdict] of [
  ['0', 'lt', 'open'],
  ['0', 'lte', 'open'],
  ['100', 'lt', 'open'],
  ['100', 'lte', 'failed'],
] as const) {
  test(`vector 13: a trail locked at B0 + ${offset} with a peak of 104,000 and 100,100 is ${verdict} under ${compare}`, async () => {
    const result = await run(
      [overall({ mode: 'intraday_equity', limit: { amount: '3000' }, lock: { at: 'initial', offset }, compare })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '104'],
        [T('04T10:00:00'), '100.1'],
        [T('04T11:00:00'), '100.1'],
      ],
      [[T('04T08:30:00'), 'buy', '1000']],
    )
    expect(result.verdict).toBe(verdict)
    if (verdict === 'failed') expect(result).toMatchObject({ value: '100100.00', limit: '100100.00' })
  })
}

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
