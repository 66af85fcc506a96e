import { describe, expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { newRuleState } from '../engine/state.ts'
import { dec, str } from '../money/dec.ts'
import { profitTarget, targetAmount } from './profit-target.ts'
import type { ProfitTargetRule } from './types.ts'

const target = (more: Partial<ProfitTargetRule> = {}): ProfitTargetRule => ({
  rule: 'profit_target',
  pct: '10',
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
  ...more,
})
const met = (rule: ProfitTargetRule, facts: Parameters<typeof factsOf>[0]): boolean =>
  profitTarget.met!(rule, factsOf(facts), newRuleState())

test('T is a percentage of B0, or an amount', () => {
  expect(str(targetAmount(target({ pct: '8' }), dec('50000')))).toBe('4000')
  expect(str(targetAmount(target({ pct: '0.5' }), dec('100000')))).toBe('500')
  expect(str(targetAmount(target({ pct: undefined, amount: '3000.5' }), dec('50000')))).toBe('3000.5')
})

describe('met', () => {
  test('at T above B0, not one minor unit below it', () => {
    const at = (balance: string) => met(target(), { balance })
    expect([at('109999.99'), at('110000'), at('110000.01')]).toEqual([false, true, true])
    expect(at('90000')).toBe(false)
  })

  test('by the balance or by the equity, as the rule says', () => {
    expect(met(target(), { balance: '110000', equity: '100000' })).toBe(true)
    expect(met(target(), { balance: '100000', equity: '110000' })).toBe(false)
    expect(met(target({ basis: 'equity' }), { balance: '100000', equity: '110000' })).toBe(true)
    expect(met(target({ basis: 'equity' }), { balance: '110000', equity: '109999.99' })).toBe(false)
  })

  test('flat where that is required, whatever is open where it is not', () => {
    const rich = { balance: '120000' }
    expect(met(target(), { ...rich, flat: false })).toBe(false)
    expect(met(target({ require_flat: false }), { ...rich, flat: false })).toBe(true)
    expect(met(target({ require_flat: false }), { ...rich, flat: true })).toBe(true)
    expect(met(target({ require_flat: false }), { balance: '100000', flat: true })).toBe(false)
  })
})

test('a price reaches a target of equity that needs no flat account, and no other one', () => {
  const reach = (more: Partial<ProfitTargetRule>) => {
    const to = profitTarget.reach!(target(more), factsOf(), newRuleState(), () => null)
    return to && [str(to.equity), to.side]
  }
  expect(reach({ basis: 'equity', require_flat: false })).toEqual(['110000', 'above'])
  expect(reach({ basis: 'equity' })).toBeNull()
  expect(reach({ require_flat: false })).toBeNull()
})
