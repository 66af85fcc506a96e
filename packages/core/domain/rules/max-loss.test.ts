import { expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { newRuleState } from '../engine/state.ts'
import { str } from '../money/dec.ts'
import { maxLoss } from './max-loss.ts'
import type { MaxLossRule } from './types.ts'

const overall = (more: Partial<MaxLossRule> = {}): MaxLossRule => ({
  rule: 'max_loss',
  mode: 'static',
  limit: { pct: '10' },
  lock: null,
  metric: 'equity',
  compare: 'lt',
  effect: 'hard',
  ...more,
})
const floorOf = (rule: MaxLossRule, facts: Parameters<typeof factsOf>[0] = {}): string =>
  str(maxLoss.floor!(rule, factsOf(facts), newRuleState()))

test('a static floor is B0 - L, by percentage or amount', () => {
  expect(floorOf(overall())).toBe('90000')
  expect(floorOf(overall({ limit: { pct: '0.25' } }), { initial: '50000' })).toBe('49875')
  expect(floorOf(overall({ limit: { amount: '2000' } }), { initial: '50000' })).toBe('48000')
})

test('a static floor is constant, whatever the account has had', () => {
  for (const facts of [
    { balance: '130000', equity: '140000', day: { balance: '120000', equity: '150000' } },
    { balance: '80000', equity: '70000', day: { balance: '90000', equity: '60000' } },
  ])
    expect(floorOf(overall(), facts)).toBe('90000')
})

test('it is tested at every point and not at the reset of the ending day', () => {
  expect((['every', 'reset'] as const).filter((point) => maxLoss.testedAt!(overall(), point))).toEqual(['every'])
})
