import { expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { dec, str } from '../money/dec.ts'
import { isPast, metricOf } from './kind.ts'
import { limitOf, percent } from './limit.ts'
import type { Compare, Metric } from './types.ts'

test('a floor is passed below it, a ceiling above it; reached counts for lte only; to the minor unit', () => {
  const past = (side: 'below' | 'above', compare: Compare) =>
    ['96999.99', '97000', '97000.01'].map((value) => isPast({ value: dec(value), limit: dec('97000'), side }, compare))
  expect(past('below', 'lt')).toEqual([true, false, false])
  expect(past('below', 'lte')).toEqual([true, true, false])
  expect(past('above', 'lt')).toEqual([false, false, true])
  expect(past('above', 'lte')).toEqual([false, true, true])
})

test('the metric is equity, balance, or the lower of both', () => {
  const of = (metric: Metric, balance: string, equity: string) => str(metricOf(metric, factsOf({ balance, equity })))
  expect((['equity', 'balance', 'min'] as const).map((m) => of(m, '100', '101'))).toEqual(['101', '100', '100'])
  expect((['equity', 'balance', 'min'] as const).map((m) => of(m, '100', '99'))).toEqual(['99', '100', '99'])
})

test('a limit is an amount, a percentage or a ratio, and one of them only', () => {
  const read = (limit: Parameters<typeof limitOf>[0]) => {
    const { amount, share, ratio } = limitOf(limit)
    return [amount, share, ratio].map((d) => d && str(d))
  }
  expect(read({ amount: '12.5' })).toEqual(['12.5', null, null])
  expect(read({ pct: '12.5' })).toEqual([null, '0.125', null])
  expect(read({ ratio: '0.06' })).toEqual([null, null, '0.06'])
  expect(str(percent('100'))).toBe('1')
})

test('a limit is parsed once', () => {
  const limit = { pct: '5' }
  expect(limitOf(limit)).toBe(limitOf(limit))
})
