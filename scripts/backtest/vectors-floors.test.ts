/** The hand-checked vectors of the rule book by number, up to 15: floors and drawdowns. Through the same door as `assay backtest`. */
import { afterAll, describe, expect, test } from 'bun:test'
import { daily, daysOf, floorsOf, overall, type Quote, removeVectors, run, T } from './vector-run.ts'

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
