import { expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { newRuleState } from '../engine/state.ts'
import type { WinningDaysRule } from './types.ts'
import { winningDays } from './winning-days.ts'

const rule: WinningDaysRule = { rule: 'winning_days', n: 2, amount: '150', effect: 'gate' }

test('a day wins by a booked result of at least the amount, to the cent, whatever floats', () => {
  const wins = (balance: string, equity = balance) => {
    const state = newRuleState()
    winningDays.endDay!(rule, factsOf({ balance, equity, day: { balance: '101000' } }), state)
    return state.days
  }
  expect([wins('101149.99'), wins('101150'), wins('101150.01')]).toEqual([0, 1, 1])
  expect([wins('101000', '103000'), wins('100850'), wins('101150', '90000')]).toEqual([0, 0, 1])
})

test('met with the n-th winning day; the running day is none yet', () => {
  const facts = factsOf({ balance: '105000' })
  const met = (days: number) => winningDays.met!(rule, facts, { ...newRuleState(), days })
  expect([met(1), met(2), met(3)]).toEqual([false, true, true])
})
