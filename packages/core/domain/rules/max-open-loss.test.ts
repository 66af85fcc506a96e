import { expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { newRuleState } from '../engine/state.ts'
import { str } from '../money/dec.ts'
import { maxOpenLoss } from './max-open-loss.ts'
import type { MaxOpenLossRule } from './types.ts'

const rule = (more: Partial<MaxOpenLossRule> = {}): MaxOpenLossRule => ({
  rule: 'max_open_loss',
  pct: '30',
  of: 'day_profit',
  compare: 'lt',
  effect: 'hard',
  ...more,
})
const floor = (more: Partial<MaxOpenLossRule>, text: Parameters<typeof factsOf>[0]) => {
  const found = maxOpenLoss.floor!(rule(more), factsOf(text), newRuleState())
  return found && str(found)
}

test('the floor of equity is the balance less pct of the balance, or of the profit, that the day began with', () => {
  const day = { balance: '102000', equity: '109000' }
  expect(floor({}, { balance: '103000', equity: '90000', day })).toBe('102400')
  expect(floor({ of: 'balance', pct: '1' }, { balance: '103000', day })).toBe('101980')
})

test('a day that begins without profit sets no limit; one that begins with a cent does', () => {
  const start = (balance: string) => floor({}, { balance: '100000', day: { balance } })
  expect([start('99999.99'), start('100000'), start('100000.01')]).toEqual([null, null, '99999.997'])
})

test('it follows the balance, and is tested at every point', () => {
  expect(maxOpenLoss.followsBalance).toBe(true)
  expect((['every', 'reset'] as const).filter((p) => maxOpenLoss.testedAt!(rule(), p))).toEqual(['every'])
})
