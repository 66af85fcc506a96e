import { expect, test } from 'bun:test'
import { nearest } from './nearest.ts'

test('a misspelt word finds the one that was meant, a foreign one finds none', () => {
  const known = ['up', 'test', 'demo', 'backtest', 'verify']
  expect(['tset', 'verfy', 'backtests', 'kubernetes'].map((word) => nearest(word, known))).toEqual([
    'test',
    'verify',
    'backtest',
    undefined,
  ])
})
