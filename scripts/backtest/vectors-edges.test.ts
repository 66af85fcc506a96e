/** Edge cases that rules.md and reference 3 name, through the same door as `assay backtest`. */
import { afterAll, describe, expect, test } from 'bun:test'
import { daily, daysOf, floorsOf, overall, type Quote, removeVectors, run, T, tradable } from './vector-run.ts'

afterAll(removeVectors)

const buy = (at: string, quantity: string) => [at, 'buy', quantity] as [string, 'buy', string]
const sell = (at: string, quantity: string) => [at, 'sell', quantity] as [string, 'sell', string]
const target = (amount: string, more: object = {}) => ({ rule: 'profit_target', amount, ...more })
const days = (n: number, more: object = {}) => ({ rule: 'min_trading_days', n, counts: 'opened', ...more })

describe('breach by costs alone', () => {
  test('a fee: the price stands, the commission takes the balance below the floor', async () => {
    const result = await run(
      [overall({ limit: { amount: '99' } })],
      [[T('04T08:00:00'), '100']],
      [buy(T('04T08:00:00'), '1000')],
      { instruments: [tradable('TST/USD', { commission: { bps: '10' } })] },
    )
    expect(result).toMatchObject({ verdict: 'failed', value: '99900.00', limit: '99901.00' })
  })
  test('the spread: a position is worth less than it cost as soon as it is bought', async () => {
    const result = await run(
      [overall({ limit: { amount: '99' } })],
      [[T('04T08:00:00'), '99.9/100']],
      [buy(T('04T08:00:00'), '1000')],
    )
    expect(result).toMatchObject({ verdict: 'failed', value: '99900.00', limit: '99901.00' })
  })
  test('a spread that widens at the roll, with no trade', async () => {
    const result = await run(
      [daily({ limit: { amount: '500' } })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T22:59:00'), '99.4/100.6'],
      ],
      [buy(T('04T08:00:00'), '1000')],
    )
    expect(result).toMatchObject({ verdict: 'failed', value: '99400.00', limit: '99500.00' })
  })
  const swap = (time: string) => ({
    instruments: [
      tradable('TST/USD', {
        swap: { zone: 'Europe/Prague', time, unit: 'points', long: '-0.2', short: '0', triple: null },
      }),
    ],
  })
  test('a swap, at its own instant', async () => {
    const result = await run(
      [overall({ limit: { amount: '199' } })],
      [
        [T('04T08:00:00'), '100'],
        [T('05T08:00:00'), '100'],
      ],
      [buy(T('04T08:00:00'), '1000')],
      swap('22:00'),
    )
    expect(result).toMatchObject({ verdict: 'failed', value: '99800.00', at: T('04T21:00:00.000') })
  })
  test('a swap at the reset is booked first, then the day begins with what is left', async () => {
    const result = await run(
      [daily({ limit: { amount: '500' } })],
      [
        [T('04T08:00:00'), '100'],
        [T('05T08:00:00'), '100'],
      ],
      [buy(T('04T08:00:00'), '1000')],
      swap('00:00'),
    )
    expect(result.days[0]).toMatchObject({ balance: '99800.00', equity: '99800.00' })
    expect(floorsOf(result)).toEqual(['99500.00', '99300.00'])
  })
})

test('profit target and breach at one point: the breach wins', async () => {
  const result = await run(
    [target('1000', { basis: 'equity', require_flat: false }), overall({ metric: 'balance', limit: { amount: '50' } })],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '101.1'],
    ],
    [buy(T('04T08:00:00'), '1000'), sell(T('04T09:00:00'), '1')],
    { instruments: [tradable('TST/USD', { commission: { per_lot: '0.06' } })] },
  )
  expect(result).toMatchObject({ verdict: 'failed', rule: 'max_loss', target_reached_at: null })
})

test('a target that was reached and lost before the minimum days does not pass; sticky, it does', async () => {
  const { quotes, trades } = daysOf([2000, -1500, 0])
  const lost = await run([target('1500'), days(3)], quotes, trades)
  expect(lost).toMatchObject({ verdict: 'open', target_reached_at: T('04T10:00:01.000') })
  const kept = await run([target('1500', { sticky: true }), days(3)], quotes, trades)
  expect(kept.verdict).toBe('passed')
})

test('a target needs a flat account with no working orders', async () => {
  const order = {
    at: T('04T08:30:00'),
    op: 'order',
    symbol: 'TST/USD',
    side: 'buy',
    type: 'limit',
    price: '50',
    quantity: '1',
  }
  const result = await run(
    [target('1000')],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '101'],
      [T('04T10:00:00'), '101'],
    ],
    [buy(T('04T08:00:00'), '1000'), order, sell(T('04T09:00:00'), '1000'), { at: T('04T10:00:00'), op: 'cancel_all' }],
  )
  expect(result).toMatchObject({ verdict: 'passed', at: T('04T10:00:00.000') })
})

test('an amended limit order at the pass point: what it fills at its new price passes', async () => {
  const order = {
    at: T('04T08:30:00'),
    op: 'order',
    symbol: 'TST/USD',
    side: 'sell',
    type: 'limit',
    price: '105',
    quantity: '1000',
    client_order_id: 'exit',
  }
  const result = await run(
    [target('1000')],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '101'],
    ],
    [
      buy(T('04T08:00:00'), '1000'),
      order,
      { at: T('04T09:00:00'), op: 'amend', client_order_id: 'exit', price: '101' },
    ],
  )
  expect(result).toMatchObject({ verdict: 'passed', at: T('04T09:00:00.000'), balance: '101000.00' })
})

test('a partial fill at the breach point: the rest is cancelled with the phase, one violation', async () => {
  const order = {
    at: T('04T08:30:00'),
    op: 'order',
    symbol: 'TST/USD',
    side: 'buy',
    type: 'limit',
    price: '99',
    quantity: '900',
  }
  const result = await run(
    [overall({ limit: { amount: '4999' } })],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '95'],
    ],
    [buy(T('04T08:00:00'), '1000'), order],
    { instruments: [tradable('TST/USD', { clip: '1000' })] },
  )
  expect(result.violations).toHaveLength(1)
  expect(result).toMatchObject({ verdict: 'failed', rule: 'max_loss' })
})

test('a gap through the floor: the closing fill is worse, the balance lies below the floor, one violation', async () => {
  const result = await run(
    [overall({ limit: { amount: '5000' } })],
    [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '90'],
    ],
    [buy(T('04T08:00:00'), '1000')],
    { instruments: [tradable('TST/USD', { clip: '500', slippage_bps: '100', cap_bps: '200' })] },
  )
  expect(result.violations).toHaveLength(1)
  expect(result).toMatchObject({ verdict: 'failed', value: '89500.00', limit: '95000.00' })
  expect(Number(result.balance)).toBeLessThan(89_500)
})

describe('consistency', () => {
  const of = async (results: number[], rule: object) => {
    const { quotes, trades } = daysOf(results)
    return (await run([target('100'), { rule: 'consistency', share: '0.5', ...rule }], quotes, trades)).verdict
  }
  test('exactly half is accepted under lt, and closed under lte', async () => {
    expect(await of([1000, 1000], { basis: 'total', compare: 'lt' })).toBe('passed')
    expect(await of([1000, 1000], { basis: 'total', compare: 'lte' })).toBe('open')
  })
  test('a best day of at most half of the target', async () => {
    expect(await of([51, 49], { basis: 'target' })).toBe('open')
    expect(await of([50, 50], { basis: 'target' })).toBe('passed')
  })
  test('a best trade of at most half of the target, though two make one day', async () => {
    const day: Quote[] = [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '100.05'],
      [T('04T10:00:00'), '100.1'],
    ]
    const two = [
      buy(T('04T08:00:00'), '1000'),
      sell(T('04T09:00:00'), '1000'),
      buy(T('04T09:00:00'), '1000'),
      sell(T('04T10:00:00'), '1000'),
    ]
    const rules = [target('100'), { rule: 'consistency', basis: 'trade', share: '0.5' }]
    expect((await run(rules, day, two)).verdict).toBe('passed')
    expect((await run(rules, day, [two[0]!, two[3]!])).verdict).toBe('open')
  })
  test('lots within half and twice their average', async () => {
    const day: Quote[] = [
      [T('04T08:00:00'), '100'],
      [T('04T09:00:00'), '101'],
    ]
    const lots = async (sizes: string[]) => {
      const trades = [
        ...sizes.map((size) => buy(T('04T08:00:00'), size)),
        { at: T('04T09:00:00'), op: 'close', position: 'TST/USD' },
      ]
      return (await run([target('100'), { rule: 'consistency', basis: 'lots', share: '0.5' }], day, trades)).verdict
    }
    expect(await lots(['100', '300'])).toBe('passed')
    expect(await lots(['100', '301'])).toBe('open')
  })
})

test('the same rules hold per account and phase: a passed phase opens the next with a fresh balance', async () => {
  const { quotes, trades } = daysOf([1000, 0])
  const phase = { kind: 'evaluation', rules: [target('1000'), overall()] }
  const result = await run([], quotes, trades, { phases: [phase, phase] })
  expect(result).toMatchObject({ verdict: 'open', phase: 1, balance: '100000.00' })
})

describe('one minor unit to each side of a limit', () => {
  const on = async (rule: object, price: string) =>
    (
      await run(
        [rule],
        [
          [T('04T08:00:00'), '100'],
          [T('04T09:00:00'), price],
        ],
        [buy(T('04T08:00:00'), '10')],
        { instruments: [tradable('TST/USD')] },
      )
    ).verdict
  const limits: [string, object, string, string, string][] = [
    ['max_open_loss', { rule: 'max_open_loss', pct: '0.01' }, '99.001', '99', '98.999'],
    ['max_risk_per_idea', { rule: 'max_risk_per_idea', pct: '0.01' }, '99.001', '99', '98.999'],
    ['max_daily_loss', daily({ limit: { amount: '10' } }), '99.001', '99', '98.999'],
    ['max_loss', overall({ limit: { amount: '10' } }), '99.001', '99', '98.999'],
    [
      'daily_profit_cap',
      { rule: 'daily_profit_cap', anchor: 'balance', limit: { amount: '10' }, effect: 'hard' },
      '100.999',
      '101',
      '101.001',
    ],
  ]
  for (const [name, rule, inside, limit, outside] of limits) {
    test(`${name}: lt allows the limit, lte does not`, async () => {
      const verdicts = async (compare: string) =>
        [
          await on({ ...rule, compare }, inside),
          await on({ ...rule, compare }, limit),
          await on({ ...rule, compare }, outside),
        ].join(' ')
      expect(await verdicts('lt')).toBe('open open failed')
      expect(await verdicts('lte')).toBe('open failed failed')
    })
  }
})
