import { expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { newRuleState, newTrades } from '../engine/state.ts'
import { str, ZERO } from '../money/dec.ts'
import type { BookedFill } from './kind.ts'
import { minHoldingTime } from './min-holding-time.ts'
import type { MinHoldingTimeRule } from './types.ts'

const rule = (more: Partial<MinHoldingTimeRule> = {}): MinHoldingTimeRule => ({
  rule: 'min_holding_time',
  seconds: 60,
  share: '0.25',
  compare: 'lt',
  effect: 'gate',
  ...more,
})
const ended = (openedAt: number) => ({ ended: { openedAt, gross: ZERO, net: ZERO } }) as BookedFill

test('a trade is short when it was held for less than the seconds, to the millisecond', () => {
  const short = (heldMs: number) => {
    const state = newRuleState()
    minHoldingTime.onFill!(rule(), ended(1_000_000), factsOf({ at: 1_000_000 + heldMs }), state)
    return state.short
  }
  expect([short(0), short(59_999), short(60_000), short(60_001)]).toEqual([1, 1, 0, 0])
})

test('a fill that ends no position is no trade', () => {
  const state = newRuleState()
  minHoldingTime.onFill!(rule(), { ended: null } as BookedFill, factsOf({ at: 5 }), state)
  expect(state.short).toBe(0)
})

const after = (short: number, closed: number, more: Partial<MinHoldingTimeRule> = {}) => {
  const facts = factsOf({ account: { trades: { ...newTrades(), closed } } })
  const state = { ...newRuleState(), short }
  return { facts, state, rule: rule(more) }
}
test('the share of short trades may reach its limit under lt, not under lte', () => {
  const met = (short: number, compare: 'lt' | 'lte') => {
    const { rule: own, facts, state } = after(short, 8, { compare })
    return minHoldingTime.met!(own, facts, state)
  }
  expect([1, 2, 3].map((short) => met(short, 'lt'))).toEqual([true, true, false])
  expect([1, 2, 3].map((short) => met(short, 'lte'))).toEqual([true, false, false])
})

test('without a closed trade there is nothing to measure', () => {
  const { rule: own, facts, state } = after(0, 0)
  expect(minHoldingTime.measure!(own, facts, state, () => null)).toBeNull()
  expect(minHoldingTime.met!(own, facts, state)).toBe(true)
  expect(str(minHoldingTime.standing!(own, facts, state, () => null).value as typeof ZERO)).toBe('0')
})

test('what is served is the share, and whether the gate is open where it is one', () => {
  const standing = (short: number, effect: 'gate' | 'hard') => {
    const { rule: own, facts, state } = after(short, 8, { effect })
    const { value, remaining, met } = minHoldingTime.standing!(own, facts, state, () => null)
    return [str(value as typeof ZERO), str(remaining as typeof ZERO), met]
  }
  expect(standing(1, 'gate')).toEqual(['0.125', '0.125', true])
  expect(standing(3, 'gate')).toEqual(['0.375', '-0.125', false])
  expect(standing(3, 'hard')).toEqual(['0.375', '-0.125', null])
})
