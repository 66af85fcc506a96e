/** What is served of each rule: where it stands, its limit, what is left. */
import { expect, test } from 'bun:test'
import { bookOf, type FactsText, factsOf, SYMBOL, Tape } from '../../testing/book.ts'
import { positionOf } from '../../testing/request.ts'
import { instrument } from '../../testing/world.ts'
import type { SessionsCalendar } from '../calendars/calendar.ts'
import { newRuleState, newTrades, type RuleState } from '../engine/state.ts'
import { type Dec, dec, str } from '../money/dec.ts'
import { kindOf } from './table.ts'
import type { Rule } from './types.ts'

const CLOSES: SessionsCalendar = {
  name: 'closes',
  version: 1,
  kind: 'sessions',
  zone: 'UTC',
  weekly: [{ from: { day: 1, time: '08:00' }, to: { day: 1, time: '22:00' } }],
  holidays: null,
}
const SPEC = {
  instruments: [instrument(SYMBOL, { session_calendar: 'closes' }), instrument('BTC/USD')],
  calendars: [CLOSES],
}
const tape = new Tape().quote(['99.00'], ['101.00']).quote(['20.00'], ['20.00'], 'BTC/USD')
const held = (...symbols: string[]): FactsText => ({
  account: { book: { ...bookOf(), positions: symbols.map((symbol) => positionOf('2', '0', symbol)) } },
})
function stands(rule: Rule, text: FactsText = {}, state: Partial<RuleState> = {}) {
  const facts = factsOf({ spec: SPEC, rules: [rule], ...text })
  const own = { ...newRuleState(), ...state }
  const found = kindOf(rule).standing!(rule, facts, own, (symbol) => tape.view.symbol(symbol)?.quote ?? null)
  const show = (value: Dec | string) => (typeof value === 'string' ? value : str(value))
  return [show(found.value), show(found.limit), show(found.remaining), found.met, found.unit]
}
/** The share of the way to the limit that is used, as it is served. */
function used(rule: Rule, text: FactsText = {}) {
  const found = kindOf(rule).standing!(rule, factsOf({ rules: [rule], ...text }), newRuleState(), () => null).used
  return [str(found.part), str(found.whole)]
}

test('a target: what was made of it, and whether it is met', () => {
  const rule = { rule: 'profit_target', amount: '3000', basis: 'balance', require_flat: true, effect: 'gate' } as const
  const once: Rule = { ...rule, sticky: false }
  const kept: Rule = { ...rule, sticky: true }
  expect(stands(once, { balance: '101000', equity: '90000' })).toEqual(['1000', '3000', '2000', false, 'money'])
  expect(stands(once, { balance: '103000' })).toEqual(['3000', '3000', '0', true, 'money'])
  expect(stands(once, { balance: '103000', flat: false })[3]).toBe(false)
  const reached = { reachedAt: 1 }
  expect([stands(once, {}, reached)[3], stands(kept, {}, reached)[3], stands(kept)[3]]).toEqual([false, true, false])
})

test('days: how many of how many, and those left', () => {
  const days: Rule = { rule: 'min_trading_days', n: 4, counts: 'opened', effect: 'gate' }
  const winning: Rule = { rule: 'winning_days', n: 4, amount: '1', effect: 'gate' }
  for (const rule of [days, winning]) {
    expect(stands(rule, {}, { days: 1 })).toEqual(['1', '4', '3', false, 'number'])
    expect(stands(rule, {}, { days: 4 })).toEqual(['4', '4', '0', true, 'number'])
    expect(stands(rule, {}, { days: 6 })).toEqual(['6', '4', '0', true, 'number'])
  }
  expect(stands(days, { day: { opened: true } }, { days: 1 })[0]).toBe('2')
  expect(stands({ rule: 'max_orders_per_day', n: 4, effect: 'gate' }, { day: { orders: 3 } }).slice(0, 4)).toEqual([
    '3',
    '4',
    '1',
    null,
  ])
  expect(stands({ rule: 'max_open_positions', n: 4, effect: 'gate' }, held(SYMBOL)).slice(0, 4)).toEqual([
    '1',
    '4',
    '3',
    null,
  ])
})

test('clocks: days gone and left', () => {
  const due = Date.parse('2024-03-11T00:00:00Z')
  const at = Date.parse('2024-03-04T12:00:00Z')
  const inactive: Rule = { rule: 'inactivity', days: 30, effect: 'hard' }
  expect(stands(inactive, { at }, { due })).toEqual(['23.5', '30', '6.5', null, 'number'])
  const limit = { rule: 'time_limit', days: 30, from: 'start', effect: 'hard' } as const
  expect(stands({ ...limit, unit: 'calendar' }, { at }, { due })).toEqual(['23.5', '30', '6.5', null, 'number'])
  expect(stands({ ...limit, unit: 'calendar' }, { at: due + 1 }, { due })).toEqual(['30', '30', '0', null, 'number'])
  expect(stands({ ...limit, unit: 'trading' }, {}, { days: 3 })).toEqual(['3', '30', '27', null, 'number'])
})

test('sizes: in money by notional, in numbers by quantity', () => {
  const size = { rule: 'max_position_size', per: 'symbol', effect: 'gate' } as const
  expect(stands({ ...size, quantity: '5' }, held(SYMBOL))).toEqual(['2', '5', '3', null, 'number'])
  expect(stands({ ...size, notional: '500' }, held(SYMBOL))).toEqual(['198', '500', '302', null, 'money'])
  expect(stands({ rule: 'max_total_exposure', notional: '500', effect: 'gate' }, held(SYMBOL, 'BTC/USD'))).toEqual([
    '238',
    '500',
    '262',
    null,
    'money',
  ])
})

test('lists: what is held beside what is allowed', () => {
  expect(stands({ rule: 'allowed_symbols', symbols: ['A', 'B'], effect: 'gate' }, held(SYMBOL)).slice(0, 2)).toEqual([
    SYMBOL,
    'A B',
  ])
  const sessions: Rule = {
    rule: 'allowed_sessions',
    zone: 'UTC',
    windows: [{ days: [1], from: '08:00', to: '10:00' }],
    effect: 'gate',
  }
  const at = (time: string) => stands(sessions, { at: Date.parse(`2024-03-04T${time}Z`) })
  expect(at('09:00:00').slice(0, 4)).toEqual(['open', '1 08:00-10:00', '', true])
  expect(at('10:00:00').slice(0, 4)).toEqual(['closed', '1 08:00-10:00', '', false])
  expect(stands({ rule: 'detectors', detect: ['grid'], effect: 'flag' }).slice(0, 2)).toEqual(['', 'grid'])
})

test('cut-offs: what stands in instruments that close', () => {
  const weekend: Rule = { rule: 'weekend_flat', day: 5, time: '21:00', zone: 'UTC', effect: 'soft' }
  const session: Rule = { rule: 'session_flat', minutes: 5, effect: 'soft' }
  for (const rule of [weekend, session]) {
    expect(stands(rule, held(SYMBOL, 'BTC/USD'))[0]).toBe('1')
    expect(stands(rule, held('BTC/USD'))[0]).toBe('0')
  }
})

test('consistency: nothing made is a share of nothing; sizes use the share the other way round', () => {
  const of = (basis: 'total' | 'lots', share = '0.5'): Rule => ({
    rule: 'consistency',
    basis,
    share,
    compare: 'lt',
    gross: false,
    effect: 'gate',
  })
  const target: Rule = {
    rule: 'profit_target',
    amount: '3000',
    basis: 'balance',
    require_flat: true,
    sticky: false,
    effect: 'gate',
  }
  const rules = [target]
  expect(stands(of('total'), { rules })).toEqual(['0', '0.5', '0.5', false, 'number'])
  expect(stands(of('total'), { rules, balance: '99000' }).slice(0, 4)).toEqual(['0', '0.5', '0.5', false])
  expect(used(of('total'), { rules, balance: '101000' })).toEqual(['1', '0.5'])
  const lots = { symbol: SYMBOL, week: 0, count: 2, sum: dec('4'), least: dec('1'), most: dec('3'), open: [] }
  const text = { rules, balance: '101000', account: { trades: { ...newTrades(), lots: [lots] } } }
  expect(used(of('lots', '0.4'), text)).toEqual(['0.4', '0.5'])
})
