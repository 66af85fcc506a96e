import { expect, test } from 'bun:test'
import { RetryBudget } from './retry-budget.ts'

const taken = (budget: RetryBudget, tries: number, now: number): number =>
  Array.from({ length: tries }, () => budget.take(now)).filter(Boolean).length

test('retries are 100 in 10 s and a fifth of the requests on top, no more; they come back with time', () => {
  const budget = new RetryBudget()
  expect(taken(budget, 1_000, 0)).toBe(100)
  for (let n = 0; n < 1_000; n++) budget.asked(5_000)
  expect(taken(budget, 1_000, 5_000)).toBe(200)
  expect(taken(budget, 1_000, 9_999)).toBe(0)
  expect(taken(budget, 1_000, 10_000)).toBe(100)
  expect(taken(budget, 1_000, 60_000)).toBe(100)
})
