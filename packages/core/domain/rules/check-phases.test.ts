import { describe, expect, test } from 'bun:test'
import { instrument, spec } from '../../testing/world.ts'
import type { Calendar } from '../calendars/calendar.ts'
import { compileSpec } from '../engine/compile.ts'
import type { AccountSpec } from '../engine/types.ts'
import type { ConsistencyRule, MaxLossRule, Rule } from './types.ts'

const target: Rule = {
  rule: 'profit_target',
  amount: '1',
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
}
const consistency = (basis: ConsistencyRule['basis']): Rule => ({
  rule: 'consistency',
  basis,
  share: '0.5',
  compare: 'lt',
  gross: false,
  effect: 'gate',
})
const loss = (lock: MaxLossRule['lock']): Rule => ({
  rule: 'max_loss',
  mode: 'closed_balance',
  limit: { amount: '1' },
  lock,
  metric: 'equity',
  compare: 'lt',
  effect: 'hard',
})
const compiles = (rules: Rule[], more: Partial<AccountSpec> = {}) => {
  try {
    compileSpec(spec(rules, more))
    return null
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return error.message
  }
}

describe('what a phase has to have', () => {
  test('a target, for what is measured by one', () => {
    for (const rule of [loss({ at: 'target' }), consistency('target'), consistency('trade')]) {
      expect(compiles([rule])).toBe(`phases[0].rules[0]: ${rule.rule}: needs a profit_target in its phase`)
      expect(compiles([rule, target])).toBeNull()
    }
  })

  test('none, for what is not', () => {
    const rules = [
      loss(null),
      loss({ at: 'initial', offset: '0' }),
      consistency('total'),
      consistency('positive_days'),
      consistency('lots'),
    ]
    for (const rule of rules) expect(compiles([rule])).toBeNull()
  })

  test('in its own phase: another one has its own', () => {
    const evaluation = 'evaluation' as const
    const phases = [
      { kind: evaluation, rules: [target] },
      { kind: evaluation, rules: [consistency('total'), consistency('target')] },
    ]
    expect(compiles([], { phases })).toStartWith('phases[1].rules[1]: consistency')
  })
})

test('zones and calendars that are there', () => {
  const flat = (zone: string): Rule => ({ rule: 'weekend_flat', day: 5, time: '21:00', zone, effect: 'soft' })
  const sessions = (zone: string): Rule => ({
    rule: 'allowed_sessions',
    zone,
    windows: [{ days: [1], from: '08:00', to: '10:00' }],
    effect: 'gate',
  })
  for (const rule of [flat, sessions]) {
    expect(compiles([rule('Europe/Prague')])).toBeNull()
    expect(compiles([rule('Europe/Atlantis')])).toContain('Europe/Atlantis')
  }
  const news: Rule = {
    rule: 'news_window',
    calendar: 'news',
    before_s: 1,
    after_s: 1,
    impact: ['high'],
    also: {},
    forbids: ['open'],
    effect: 'gate',
  }
  const calendar: Calendar = { name: 'news', version: 1, kind: 'news', events: [] }
  expect(compiles([news], { instruments: [instrument('TST/USD')] })).toContain('news')
  expect(compiles([news], { calendars: [calendar] })).toBeNull()
})
