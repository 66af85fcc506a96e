/** Every limit at its value and one minor unit to each side, through the engine. */
import { describe, expect, test } from 'bun:test'
import { spec, World } from '../../testing/world.ts'
import { add, dec, str } from '../money/dec.ts'
import type { Compare, MaxDailyLossRule, MaxLossRule, Rule } from './types.ts'

const daily = (more: Partial<MaxDailyLossRule>): Rule => ({
  rule: 'max_daily_loss',
  anchor: 'balance',
  limit: { amount: '3000' },
  metric: 'equity',
  compare: 'lt',
  tested: 'always',
  effect: 'hard',
  ...more,
})
const overall = (more: Partial<MaxLossRule>): Rule => ({
  rule: 'max_loss',
  mode: 'static',
  limit: { amount: '3000' },
  lock: null,
  metric: 'equity',
  compare: 'lt',
  effect: 'hard',
  ...more,
})
const START = '2024-03-04T08:00:00Z'
const SIDES = [
  ['one minor unit above', '0.01'],
  ['at it', '0'],
  ['one minor unit below', '-0.01'],
] as const
const BREACHED: Record<Compare, boolean[]> = { lt: [false, false, true], lte: [false, true, true] }

/** An account of 100,000 that bought 1 at 50,000.00 and now has this equity. */
function atEquity(rule: Rule, equity: string): World {
  const w = new World(spec([rule]))
  w.start(START).quote('2024-03-04T08:00:01Z', '50000.00', '50000.00')
  w.buy('1')
  const price = str(add(dec('50000'), add(dec(equity), dec('-100000'))))
  w.quote('2024-03-04T08:00:02Z', price, price)
  return w
}
/** The same with everything closed: the balance has it. */
function atBalance(rule: Rule, balance: string): World {
  const price = str(add(dec('50000'), add(dec(balance), dec('-100000'))))
  const w = new World(spec([rule]))
  w.start(START).quote('2024-03-04T08:00:01Z', '50000.00', '50000.00')
  w.buy('1')
  w.quote('2024-03-04T08:00:02Z', price, price)
  if (w.state.status === 'started') w.sell('1')
  return w
}
const breached = (w: World) => w.of('violation').length === 1 && w.state.status === 'failed'
const beside = (floor: string) => SIDES.map(([, away]) => str(add(dec(floor), dec(away))))

describe.each(['lt', 'lte'] as const)('%s', (compare) => {
  test.each([daily({ compare }), overall({ compare })])(
    'an equity limit above, at and below its floor: $rule',
    (rule) => {
      expect(beside('97000').map((equity) => breached(atEquity(rule, equity)))).toEqual(BREACHED[compare])
    },
  )

  test.each([daily({ compare, metric: 'balance' }), overall({ compare, metric: 'balance' })])(
    'a balance limit is held against closed results alone: $rule',
    (rule) => {
      expect(breached(atEquity(rule, '90000'))).toBe(false)
      expect(beside('97000').map((balance) => breached(atBalance(rule, balance)))).toEqual(BREACHED[compare])
    },
  )

  test.each([daily({ compare, metric: 'min' }), overall({ compare, metric: 'min' })])(
    'the lower of both decides: $rule',
    (rule) => {
      expect(beside('97000').map((equity) => breached(atEquity(rule, equity)))).toEqual(BREACHED[compare])
    },
  )

  test('a limit that is tested at reset stands what the day holds and falls at its end', () => {
    const rule = daily({ compare, tested: 'reset' })
    const ended = beside('97000').map((equity) => {
      const w = atEquity(rule, equity)
      expect(breached(w)).toBe(false)
      w.clock('2024-03-04T23:00:00Z')
      return breached(w)
    })
    expect(ended).toEqual(BREACHED[compare])
  })
})

describe('limits that move', () => {
  /** The account of `atEquity`, up by 5,000 at first: then down to this equity. */
  function after(rule: Rule, equity: string): World {
    const w = atEquity(rule, '105000')
    const price = str(add(dec('50000'), add(dec(equity), dec('-100000'))))
    return w.quote('2024-03-04T08:00:03Z', price, price)
  }
  const trailing = (more: Partial<MaxLossRule>) => overall({ mode: 'intraday_equity', ...more })

  test.each(['lt', 'lte'] as const)('an intraday trail of 3,000 after a peak of 105,000, %s', (compare) => {
    const fell = beside('102000').map((equity) => breached(after(trailing({ compare }), equity)))
    expect(fell).toEqual(BREACHED[compare])
  })

  test.each(['lt', 'lte'] as const)('the same by a ratio of 3 %%, %s: 101,850', (compare) => {
    const rule = trailing({ compare, limit: { ratio: '0.03' } })
    expect(beside('101850').map((equity) => breached(after(rule, equity)))).toEqual(BREACHED[compare])
  })

  test.each(['lt', 'lte'] as const)('the same locked at B0 + 100, %s: vector 13', (compare) => {
    const rule = trailing({ compare, lock: { at: 'initial', offset: '100' } })
    expect(beside('100100').map((equity) => breached(after(rule, equity)))).toEqual(BREACHED[compare])
  })

  test.each(['lt', 'lte'] as const)('the high of the day as anchor, %s: vector 27', (compare) => {
    const rule = daily({ compare, anchor: 'day_high' })
    expect(beside('102000').map((equity) => breached(after(rule, equity)))).toEqual(BREACHED[compare])
  })

  test.each(['lt', 'lte'] as const)('an end-of-day trail knows the day end alone, %s', (compare) => {
    const rule = overall({ compare, mode: 'eod_equity' })
    expect(breached(after(rule, '97000.01'))).toBe(false)
    const next = beside('102000').map((equity) => {
      const w = atEquity(rule, '105000').clock('2024-03-05T08:00:00Z')
      const price = str(add(dec('50000'), add(dec(equity), dec('-100000'))))
      return breached(w.quote('2024-03-05T08:00:01Z', price, price))
    })
    expect(next).toEqual(BREACHED[compare])
  })
})

test.each(['lt', 'lte'] as const)('a profit cap locks above its ceiling, %s', (compare) => {
  const cap: Rule = { ...daily({ compare }), rule: 'daily_profit_cap', effect: 'soft' } as Rule
  const locked = (equity: string) => atEquity(cap, equity).state.lock !== null
  expect(beside('103000').map(locked)).toEqual({ lt: [true, false, false], lte: [true, true, false] }[compare])
})

test.each(['lt', 'lte'] as const)(
  'an open loss against a share of the balance that the day began with, %s',
  (compare) => {
    const rule: Rule = { rule: 'max_open_loss', pct: '3', of: 'balance', compare, effect: 'hard' }
    expect(beside('97000').map((equity) => breached(atEquity(rule, equity)))).toEqual(BREACHED[compare])
  },
)

test.each(['lt', 'lte'] as const)('the loss of one idea, %s', (compare) => {
  const rule: Rule = { rule: 'max_risk_per_idea', pct: '3', within_s: 120, compare, effect: 'hard' }
  expect(beside('97000').map((equity) => breached(atEquity(rule, equity)))).toEqual(BREACHED[compare])
  expect(beside('97000').map((balance) => breached(atBalance(rule, balance)))).toEqual(BREACHED[compare])
})

test('a violation names the value and the limit that it was held against', () => {
  expect(atEquity(overall({}), '96999.99').of('violation')[0]).toMatchObject({
    rule: 'max_loss',
    value: '96999.99',
    limit: '97000',
    equity: '96999.99',
    balance: '100000',
  })
})

test('a target is met at its amount and one minor unit above, not below', () => {
  const target: Rule = {
    rule: 'profit_target',
    amount: '3000',
    basis: 'balance',
    require_flat: true,
    sticky: false,
    effect: 'gate',
  }
  const passed = beside('103000').map((balance) => atBalance(target, balance).state.status === 'passed')
  expect(passed).toEqual([true, true, false])
})
