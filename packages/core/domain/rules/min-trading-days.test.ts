import { describe, expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { newRuleState } from '../engine/state.ts'
import { daysCounted, minTradingDays } from './min-trading-days.ts'
import type { MinTradingDaysRule } from './types.ts'

type Counts = MinTradingDaysRule['counts']
const days = (counts: Counts, n = 2, pct?: string): MinTradingDaysRule => ({
  rule: 'min_trading_days',
  n,
  counts,
  ...(pct && { pct }),
  effect: 'gate',
})
/** Does a day that ends like this count? */
function counted(rule: MinTradingDaysRule, facts: Parameters<typeof factsOf>[0]): boolean {
  const state = newRuleState()
  minTradingDays.endDay!(rule, factsOf(facts), state)
  return state.days === 1
}

describe('a day counts', () => {
  test('opened: with an opening fill; opened_and_closed: with a position that lived in it', () => {
    const held = { day: { opened: true } }
    const lived = { day: { opened: true, openedAndClosed: true } }
    expect([counted(days('opened'), {}), counted(days('opened'), held)]).toEqual([false, true])
    expect([counted(days('opened_and_closed'), held), counted(days('opened_and_closed'), lived)]).toEqual([false, true])
    expect(counted(days('opened'), { day: { openedAndClosed: true } })).toBe(false)
  })

  test('won: by a result of at least pct of B0, to the cent', () => {
    const won = (balance: string) => counted(days('won', 2, '0.5'), { balance, day: { balance: '102000' } })
    expect([won('102499.99'), won('102500'), won('102500.01')]).toEqual([false, true, true])
    expect([won('101500'), won('102000')]).toEqual([false, false])
  })

  test('moved: by a result of at least pct of B0 either way, to the cent', () => {
    const moved = (balance: string) => counted(days('moved', 2, '0.5'), { balance, day: { balance: '102000' } })
    expect([moved('102499.99'), moved('102500')]).toEqual([false, true])
    expect([moved('101500.01'), moved('101500'), moved('101499.99')]).toEqual([false, true, true])
    expect(moved('102000')).toBe(false)
  })
})

describe('days counted', () => {
  const opened = factsOf({ day: { opened: true } })
  test('the present day is one as soon as it opened a position, and is counted once when it ends', () => {
    const rule = days('opened')
    const state = newRuleState()
    expect(daysCounted(rule, factsOf(), state)).toBe(0)
    expect(daysCounted(rule, opened, state)).toBe(1)
    minTradingDays.endDay!(rule, opened, state)
    expect(daysCounted(rule, factsOf(), state)).toBe(1)
    minTradingDays.endDay!(rule, factsOf(), state)
    expect(state.days).toBe(1)
    expect(daysCounted(rule, opened, state)).toBe(2)
  })

  test('a day that counts by its result does so only when it has ended', () => {
    const state = newRuleState()
    const facts = factsOf({ balance: '101000' })
    for (const counts of ['won', 'moved'] as const) expect(daysCounted(days(counts, 1, '0.5'), facts, state)).toBe(0)
  })

  test('met from the n-th day on, not a day before', () => {
    const state = { ...newRuleState(), days: 2 }
    const met = (n: number, facts = factsOf()) => minTradingDays.met!(days('opened', n), facts, state)
    expect([met(1), met(2), met(3), met(4)]).toEqual([true, true, false, false])
    expect([met(3, opened), met(4, opened)]).toEqual([true, false])
  })
})
