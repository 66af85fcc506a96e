import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { factsOf } from '../../testing/book.ts'
import { newRuleState } from '../engine/state.ts'
import { add, dec, eq, lte, str, sub } from '../money/dec.ts'
import { metricOf } from './kind.ts'
import { maxDailyLoss } from './max-daily-loss.ts'
import type { Anchor, MaxDailyLossRule, Metric } from './types.ts'

const daily = (more: Partial<MaxDailyLossRule> = {}): MaxDailyLossRule => ({
  rule: 'max_daily_loss',
  anchor: 'balance',
  limit: { pct: '5', of: 'initial' },
  metric: 'equity',
  compare: 'lt',
  tested: 'always',
  effect: 'hard',
  ...more,
})
const floorOf = (rule: MaxDailyLossRule, facts: Parameters<typeof factsOf>[0]): string =>
  str(maxDailyLoss.floor!(rule, factsOf(facts), newRuleState())!)
const ANCHORS: Anchor[] = ['balance', 'equity', 'max', 'initial', 'day_high']

describe('anchor', () => {
  // balance, equity and the day's high all differ from B0
  const day = { balance: '101000', equity: '103000', high: '104000' }
  test('each one is its own amount, and the floor lies L below it', () => {
    const amounts = { balance: '101000', equity: '103000', max: '103000', initial: '100000', day_high: '104000' }
    for (const anchor of ANCHORS) {
      const rule = daily({ anchor, limit: { amount: '2500' } })
      expect(str(maxDailyLoss.anchor!(rule, factsOf({ day })))).toBe(amounts[anchor])
      expect(floorOf(rule, { day })).toBe(str(sub(dec(amounts[anchor]), dec('2500'))))
    }
  })

  test('max is the balance when the equity is below it', () => {
    expect(floorOf(daily({ anchor: 'max' }), { day: { balance: '100000', equity: '98000' } })).toBe('95000')
  })

  test('what the account has now moves no floor', () => {
    const now = { balance: '90000', equity: '120000' }
    for (const anchor of ANCHORS)
      expect(floorOf(daily({ anchor }), { day, ...now })).toBe(floorOf(daily({ anchor }), { day }))
  })
})

describe('limit', () => {
  test('a percentage is of B0 or of the anchor', () => {
    const day = { balance: '102000' }
    expect(floorOf(daily(), { day })).toBe('97000')
    expect(floorOf(daily({ limit: { pct: '5', of: 'anchor' } }), { day })).toBe('96900')
    expect(floorOf(daily({ limit: { pct: '2.5', of: 'anchor' } }), { day })).toBe('99450')
  })

  test('an amount is that amount, whatever B0 is', () => {
    expect(floorOf(daily({ limit: { amount: '1234.56' } }), { day: { balance: '100000' } })).toBe('98765.44')
    expect(floorOf(daily({ limit: { amount: '0' } }), { day: { balance: '100000' } })).toBe('100000')
  })
})

describe('vectors of reference 3.10', () => {
  const cases: [string, Partial<MaxDailyLossRule>, Parameters<typeof factsOf>[0], string][] = [
    ['1 Monday', {}, { initial: '200000', day: { balance: '200000' } }, '190000'],
    ['1 Tuesday', {}, { initial: '200000', day: { balance: '204000' } }, '194000'],
    ['5', { limit: { pct: '4', of: 'anchor' } }, { day: { balance: '105000' } }, '100800'],
    ['6', { anchor: 'max' }, { day: { balance: '100000', equity: '110000' } }, '105000'],
    ['7 above', {}, { day: { balance: '100000', equity: '101000' } }, '95000'],
    ['7 below', {}, { day: { balance: '100000', equity: '99000' } }, '95000'],
    [
      '8 above',
      { anchor: 'max', limit: { pct: '3', of: 'anchor' } },
      { day: { balance: '100000', equity: '102000' } },
      '98940',
    ],
    [
      '8 below',
      { anchor: 'max', limit: { pct: '3', of: 'anchor' } },
      { day: { balance: '100000', equity: '98000' } },
      '97000',
    ],
    [
      '9 first',
      { anchor: 'equity', limit: { pct: '5', of: 'anchor' } },
      { day: { balance: '100000', equity: '103000' } },
      '97850',
    ],
    [
      '9 second',
      { anchor: 'equity', limit: { pct: '5', of: 'anchor' } },
      { day: { balance: '100000', equity: '101000' } },
      '95950',
    ],
    ['14 initial', {}, { day: { balance: '102000' } }, '97000'],
    ['14 anchor', { limit: { pct: '5', of: 'anchor' } }, { day: { balance: '102000' } }, '96900'],
    ['27 Monday', { anchor: 'day_high', limit: { pct: '3', of: 'initial' } }, { day: { high: '104000' } }, '101000'],
    ['27 Tuesday', { anchor: 'day_high', limit: { pct: '3', of: 'initial' } }, { day: { equity: '101500' } }, '98500'],
  ]
  test.each(cases)('%s', (_, rule, facts, floor) => {
    expect(floorOf(daily(rule), facts)).toBe(floor)
  })
})

test('tested always is not tested at the reset of the ending day, and the other way round', () => {
  const points = (tested: 'always' | 'reset') =>
    (['every', 'reset'] as const).filter((point) => maxDailyLoss.testedAt!(daily({ tested }), point))
  expect([points('always'), points('reset')]).toEqual([['every'], ['reset']])
})

test('the metric is equity, balance, or the lower of both', () => {
  const of = (metric: Metric, balance: string, equity: string) => str(metricOf(metric, factsOf({ balance, equity })))
  expect((['equity', 'balance', 'min'] as const).map((m) => of(m, '100', '101'))).toEqual(['101', '100', '100'])
  expect((['equity', 'balance', 'min'] as const).map((m) => of(m, '100', '99'))).toEqual(['99', '100', '99'])
})

test('a better start of the day never lowers its floor, and the floor hangs on nothing else', () => {
  const money = fc.integer({ min: 5_000_000, max: 20_000_000 }).map((cents) => str({ n: BigInt(cents), s: 2 }))
  const limits = fc.oneof(
    fc.record({ amount: money }),
    fc.record({
      pct: fc.integer({ min: 1, max: 99 }).map(String),
      of: fc.constantFrom('initial' as const, 'anchor' as const),
    }),
  )
  const more = (text: string): string => str(add(dec(text), dec('1')))
  fc.assert(
    fc.property(fc.constantFrom(...ANCHORS), limits, money, money, money, (anchor, limit, balance, equity, now) => {
      const floor = (day: { balance: string; equity: string; high: string }, worth: string) =>
        dec(floorOf(daily({ anchor, limit }), { balance: worth, equity: worth, day }))
      const high = lte(dec(balance), dec(equity)) ? equity : balance
      const day = { balance, equity, high }
      expect(eq(floor(day, now), floor(day, '1'))).toBe(true)
      const better = { balance: more(balance), equity: more(equity), high: more(high) }
      expect(lte(floor(day, now), floor(better, now))).toBe(true)
    }),
  )
})
