import { expect, test } from 'bun:test'
import { type Entry, phaseRules } from './phase-rules.ts'
import { RULE_NAMES } from './table.ts'
import type { Phase, Rule } from './types.ts'

const names = (entries: readonly Entry[]) => entries.map(({ rule, index }) => `${rule.rule} ${index}`)
const loss = { metric: 'equity' as const, compare: 'lt' as const, effect: 'hard' as const }
const daily = (anchor: 'balance' | 'day_high'): Rule => ({
  rule: 'max_daily_loss',
  anchor,
  limit: { amount: '1' },
  tested: 'always',
  ...loss,
})
const overall = (mode: 'static' | 'eod_balance' | 'intraday_equity' | 'closed_balance'): Rule => ({
  rule: 'max_loss',
  mode,
  limit: { amount: '1' },
  lock: null,
  ...loss,
})
const target: Rule = {
  rule: 'profit_target',
  amount: '1',
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
}
const idea = (within_s: number): Rule => ({
  rule: 'max_risk_per_idea',
  pct: '1',
  within_s,
  compare: 'lte',
  effect: 'hard',
})
const holding = (effect: 'gate' | 'soft'): Rule => ({
  rule: 'min_holding_time',
  seconds: 1,
  share: '0.5',
  compare: 'lt',
  effect,
})
const phase = (...rules: Rule[]): Phase => ({ kind: 'evaluation', rules })

test('floors stand in the order of the table, of one kind in that of the phase', () => {
  const sorted = phaseRules(
    phase(overall('static'), daily('balance'), target, overall('eod_balance'), daily('day_high')),
  )
  expect(names(sorted.floors)).toEqual(['max_daily_loss 1', 'max_daily_loss 4', 'max_loss 0', 'max_loss 3'])
  expect(names(sorted.listed)).toEqual(['max_loss 0', 'max_daily_loss 1', 'max_loss 3', 'max_daily_loss 4'])
  expect(names(sorted.all)).toEqual([
    'max_loss 0',
    'max_daily_loss 1',
    'profit_target 2',
    'max_loss 3',
    'max_daily_loss 4',
  ])
  expect(RULE_NAMES.indexOf('max_daily_loss')).toBeLessThan(RULE_NAMES.indexOf('max_loss'))
})

test('each list has the rules that it is asked for', () => {
  const open: Rule = { rule: 'max_open_loss', pct: '1', of: 'balance', compare: 'lt', effect: 'hard' }
  const clock: Rule = { rule: 'inactivity', days: 1, effect: 'hard' }
  const symbols: Rule = { rule: 'allowed_symbols', symbols: [], effect: 'gate' }
  const sorted = phaseRules(
    phase(
      symbols,
      clock,
      open,
      overall('static'),
      overall('closed_balance'),
      overall('intraday_equity'),
      daily('day_high'),
      target,
    ),
  )
  expect(names(sorted.series)).toEqual(['max_loss 4', 'max_loss 5'])
  expect(names(sorted.dayHigh)).toEqual(['max_daily_loss 6'])
  expect(names(sorted.booked)).toEqual(['max_open_loss 2'])
  expect(names(sorted.gates)).toEqual(['profit_target 7'])
  expect(names(sorted.refusing)).toEqual(['allowed_symbols 0'])
  expect(names(sorted.clocks)).toEqual(['inactivity 1'])
  expect(names(sorted.counting)).toEqual(['inactivity 1'])
  expect(sorted.countsTrades).toBe(false)
})

test('losses are held from below, a cap and what is measured from above', () => {
  const cap = { ...daily('balance'), rule: 'daily_profit_cap' } as Rule
  const open: Rule = { rule: 'max_open_loss', pct: '1', of: 'balance', compare: 'lt', effect: 'hard' }
  const { floors } = phaseRules(phase(daily('balance'), cap, overall('static'), open))
  expect(floors.map(({ rule, side }) => `${rule.rule} ${side}`)).toEqual([
    'max_daily_loss below',
    'daily_profit_cap above',
    'max_loss below',
    'max_open_loss below',
  ])
})

test('clocks that stand still in a pause, limits that rest on marks', () => {
  const kinds = (rule: Rule) => phaseRules(phase(rule)).all[0]!.kind
  const limit: Rule = { rule: 'time_limit', days: 1, unit: 'calendar', from: 'start', effect: 'hard' }
  const weekend: Rule = { rule: 'weekend_flat', day: 5, time: '21:00', zone: 'UTC', effect: 'soft' }
  const clocks = [limit, { rule: 'inactivity', days: 1, effect: 'hard' } as Rule, weekend]
  expect(clocks.map((rule) => kinds(rule).pauses ?? false)).toEqual([true, true, false])
  const session: Rule = { rule: 'session_flat', minutes: 5, effect: 'soft' }
  expect([weekend, session, limit].map((rule) => kinds(rule).flattens ?? false)).toEqual([true, true, false])
  expect([idea(60), holding('soft')].map((rule) => kinds(rule).restsOnMarks ?? false)).toEqual([true, false])
})

test('trades and sizes are counted where a consistency rule asks for them', () => {
  const of = (basis: 'trade' | 'lots' | 'total') => {
    const rule: Rule = { rule: 'consistency', basis, share: '0.5', compare: 'lt', gross: false, effect: 'gate' }
    const { countsTrades, counters } = phaseRules(phase(rule))
    return [countsTrades, counters.length]
  }
  expect([of('trade'), of('lots'), of('total')]).toEqual([
    [true, 0],
    [false, 1],
    [false, 0],
  ])
})

test('a rule that only gates is measured by its gate alone', () => {
  const sorted = phaseRules(phase(holding('gate'), holding('soft'), idea(120)))
  expect(names(sorted.measured)).toEqual(['max_risk_per_idea 2', 'min_holding_time 1'])
  expect(names(sorted.gates)).toEqual(['min_holding_time 0'])
  expect(sorted.countsTrades).toBe(true)
})

test('what several rules count alike is counted once', () => {
  expect(phaseRules(phase(idea(120), idea(120), idea(60))).counters).toHaveLength(2)
})

test('a rule without a comparison is reached at its limit', () => {
  const [inactive, lost] = phaseRules(phase({ rule: 'inactivity', days: 1, effect: 'hard' }, daily('balance'))).all
  expect([inactive!.compare, lost!.compare]).toEqual(['lte', 'lt'])
})

test('a phase is sorted once', () => {
  const one = phase(target)
  expect(phaseRules(one)).toBe(phaseRules(one))
})
