import { describe, expect, test } from 'bun:test'
import { spec } from '../../testing/world.ts'
import { compileSpec } from '../engine/compile.ts'
import type { Rule } from './types.ts'

const target: Rule = {
  rule: 'profit_target',
  amount: '1000',
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
}
const consistency = (basis: 'target' | 'trade' | 'total'): Rule => ({
  rule: 'consistency',
  basis,
  share: '0.5',
  compare: 'lt',
  gross: false,
  effect: 'gate',
})
const locked: Rule = {
  rule: 'max_loss',
  mode: 'intraday_equity',
  limit: { amount: '3000' },
  lock: { at: 'target' },
  metric: 'equity',
  compare: 'lt',
  effect: 'hard',
}
const news: Rule = {
  rule: 'news_window',
  calendar: 'eco',
  before_s: 120,
  after_s: 120,
  impact: ['high'],
  also: {},
  forbids: ['open'],
  effect: 'gate',
}
const compiling = (rules: Rule[]) => () => compileSpec(spec(rules))

describe('an account whose rules miss something is not compiled', () => {
  for (const rule of [consistency('target'), consistency('trade'), locked])
    test(`${rule.rule} that is measured by a target that its phase has not`, () => {
      expect(compiling([rule])).toThrow(`phases[0].rules[0]: ${rule.rule}: needs a profit_target in its phase`)
      expect(compiling([rule, target])).not.toThrow()
    })
  test('a share of the total needs none', () => expect(compiling([consistency('total')])).not.toThrow())
  test('a news calendar that is not pinned', () => expect(compiling([news])).toThrow('there is no news calendar eco'))
  test('a zone that does not exist', () =>
    expect(compiling([{ rule: 'weekend_flat', day: 5, time: '15:45', zone: 'Mars/Base', effect: 'hard' }])).toThrow(
      'Mars/Base',
    ))
})
