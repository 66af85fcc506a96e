import { expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { newRuleState } from '../engine/state.ts'
import { str } from '../money/dec.ts'
import { dailyProfitCap } from './daily-profit-cap.ts'
import { maxDailyLoss } from './max-daily-loss.ts'
import type { DailyProfitCapRule } from './types.ts'

const cap = (more: Partial<DailyProfitCapRule> = {}): DailyProfitCapRule => ({
  rule: 'daily_profit_cap',
  anchor: 'equity',
  limit: { pct: '3', of: 'initial' },
  metric: 'equity',
  compare: 'lt',
  tested: 'always',
  effect: 'soft',
  ...more,
})
const ceilingOf = (rule: DailyProfitCapRule, text: Parameters<typeof factsOf>[0]) =>
  str(dailyProfitCap.floor!(rule, factsOf(text), newRuleState())!)
const day = { balance: '99000', equity: '101000', high: '102000' }

test('vector 10: +/-3 % of B0 from an equity of 101,000 is 98,000 to 104,000', () => {
  const loss = maxDailyLoss.floor!({ ...cap(), rule: 'max_daily_loss' }, factsOf({ day }), newRuleState())
  expect([str(loss!), ceilingOf(cap(), { day })]).toEqual(['98000', '104000'])
})

test('the ceiling is the anchor and its allowance above it', () => {
  expect(ceilingOf(cap({ limit: { pct: '3', of: 'anchor' } }), { day })).toBe('104030')
  expect(ceilingOf(cap({ limit: { amount: '500' }, anchor: 'balance' }), { day })).toBe('99500')
  expect(ceilingOf(cap({ limit: { amount: '500' }, anchor: 'max' }), { day })).toBe('101500')
  expect(ceilingOf(cap({ limit: { amount: '500' }, anchor: 'day_high' }), { day })).toBe('102500')
})

test('it follows the high of the day where that is its anchor, and only there', () => {
  const follows = (['balance', 'equity', 'max', 'initial', 'day_high'] as const).map((anchor) =>
    dailyProfitCap.followsDayHigh!(cap({ anchor })),
  )
  expect(follows).toEqual([false, false, false, false, true])
})
