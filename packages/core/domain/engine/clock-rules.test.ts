/** Rules of the clock through the engine: each at its exact instant, in the order of work of that instant. */
import { describe, expect, test } from 'bun:test'
import { maxDailyLoss, profitTarget } from '../../testing/rules.ts'
import { instrument, spec, World } from '../../testing/world.ts'
import type { SessionsCalendar } from '../calendars/calendar.ts'
import type { AccountSpec, Rule } from './types.ts'

const at = (time: string): string => `2024-03-${time}Z`
const target = profitTarget({ amount: '1000' })
const days: Rule = { rule: 'min_trading_days', n: 5, counts: 'opened', effect: 'gate' }
const daily = maxDailyLoss({ amount: '4000' })
type TimeLimit = Extract<Rule, { rule: 'time_limit' }>
const limit = (more: Partial<TimeLimit> = {}): TimeLimit => ({
  rule: 'time_limit',
  days: 2,
  unit: 'calendar',
  from: 'start',
  effect: 'hard',
  ...more,
})
function world(rules: Rule[], more: Partial<AccountSpec> = {}): World {
  const w = new World(spec(rules, more))
  w.start(at('04T08:00:00')).quote(at('04T08:00:01'), '100.00', '100.00')
  return w
}
const price = (w: World, time: string, p: string): World => w.quote(at(time), p, p)
const verdict = (w: World) => w.of('verdict').map((v) => [v.verdict, v.rule, new Date(v.mts).toISOString()])

describe('time_limit', () => {
  test('no trades at the deadline: expired at its instant, and the fills of the end are booked', () => {
    const w = world([target, limit()])
    w.clock(at('06T09:00:00'))
    expect(verdict(w)).toEqual([['expired', 'time_limit', at('06T08:00:00.000')]])
    expect(w.of('phase').at(-1)!.status).toBe('expired')
  })
  test('with an open position the phase expires and it is closed', () => {
    const w = world([target, limit()])
    w.buy('10')
    w.clock(at('06T08:00:00'))
    expect([w.state.status, w.state.book.positions, w.fills.length]).toEqual(['expired', [], 2])
  })
  test('a target that is met by then passes, at the point that met it', () => {
    const w = world([target, limit()])
    w.buy('1000')
    price(w, '05T09:00:00', '101.00')
    w.sell('1000')
    expect(w.state.status).toBe('passed')
  })
  test('from the first fill on: without one there is no limit', () => {
    const w = world([target, limit({ from: 'first_fill' })])
    w.clock(at('10T08:00:00'))
    expect(w.state.status).toBe('started')
    price(w, '10T09:30:00', '100.00')
    w.buy('1')
    w.clock(at('12T09:29:59'))
    expect(w.state.status).toBe('started')
    w.clock(at('12T09:30:00'))
    expect(w.state.status).toBe('expired')
  })
  test('trading days end at the reset; the local time of the start stays over a change of clocks', () => {
    const w = world([target, limit({ unit: 'trading' })])
    w.clock(at('05T23:00:00'))
    expect(verdict(w)).toEqual([['expired', 'time_limit', at('05T23:00:00.000')]])
    const spring = new World(spec([target, limit()]))
    spring.start('2024-03-30T08:00:00Z').clock('2024-04-01T08:00:00Z')
    // 09:00 in Prague on 30 March is 08:00 UTC, on 1 April 07:00
    expect(verdict(spring)).toEqual([['expired', 'time_limit', '2024-04-01T07:00:00.000Z']])
  })
  test('a breach at the same instant wins over the deadline', () => {
    const w = world([{ ...target, amount: '9000' } as Rule, limit({ unit: 'trading', days: 1 }), daily])
    w.buy('1000')
    price(w, '04T09:00:00', '104.00')
    w.sell('1000')
    w.buy('1000')
    // 104,000 - 4,001: above the day's floor of 96,000, below the 100,000 that the reset sets
    price(w, '04T22:00:00', '99.99')
    w.clock(at('04T23:00:00'))
    expect(verdict(w)[0]!.slice(0, 2)).toEqual(['failed', 'max_daily_loss'])
  })
})
describe('inactivity', () => {
  test('30 x 24 hours after the last fill it fails, though clocks changed meanwhile', () => {
    const w = world([target, { rule: 'inactivity', days: 30, effect: 'hard' }])
    w.buy('1')
    w.clock('2024-04-03T08:00:00Z')
    expect(w.state.status).toBe('started')
    w.clock('2024-04-03T08:00:01Z')
    expect(verdict(w)).toEqual([['failed', 'inactivity', '2024-04-03T08:00:01.000Z']])
  })
  test('as a flag it is said once, until a fill starts the clock again', () => {
    const w = world([target, { rule: 'inactivity', days: 2, effect: 'flag' }])
    w.clock(at('20T08:00:00'))
    expect(w.of('violation')).toHaveLength(1)
    price(w, '20T09:00:00', '100.00')
    w.buy('1')
    w.clock(at('25T08:00:00'))
    expect(w.of('violation').map((v) => v.mts)).toEqual([at('06T08:00:00'), at('22T09:00:00')].map(Date.parse))
  })
})

describe('max_risk_per_trade', () => {
  const stop = (effect: 'hard' | 'gate' | 'flag'): Rule => ({
    rule: 'max_risk_per_trade',
    pct: '1',
    needs_stop: true,
    within_s: 60,
    effect,
  })
  test('a position without a stop after its seconds is a breach at that instant', () => {
    const w = world([stop('hard')])
    w.buy('10')
    w.clock(at('04T08:01:00.999'))
    expect(w.state.status).toBe('started')
    w.clock(at('04T08:01:01'))
    expect(verdict(w)).toEqual([['failed', 'max_risk_per_trade', at('04T08:01:01.000')]])
  })
  test('a stop that covers it in time is none; one that covers half of it is', () => {
    for (const [quantity, status] of [
      ['10', 'started'],
      ['5', 'failed'],
    ] as const) {
      const w = world([stop('hard')])
      w.buy('10')
      w.order({ side: 'sell', type: 'stop', stop_price: '99.00', quantity })
      w.clock(at('04T09:00:00'))
      expect(w.state.status).toBe(status)
    }
  })
  test('where it refuses, an order brings its stop, and at most 1,000 of 100,000 is at risk', () => {
    const w = world([stop('gate')])
    expect(w.buy('10')).toMatchObject({ code: 'rule_refused', field: 'stop_loss' })
    const risky = { type: 'market' as const, stop_loss: { stop_price: '99.00' } }
    expect(w.order({ ...risky, quantity: '1001' })).toMatchObject({ code: 'rule_refused', field: 'quantity' })
    expect(w.order({ ...risky, quantity: '1000' })).toMatchObject({ ok: true })
  })
  test('as a flag the order is accepted and said', () => {
    const w = world([{ ...stop('flag'), needs_stop: false } as Rule])
    expect(w.order({ type: 'market', quantity: '1001', stop_loss: { stop_price: '99.00' } })).toMatchObject({
      ok: true,
    })
    expect(w.of('violation')).toMatchObject([
      { rule: 'max_risk_per_trade', effect: 'flag', value: '1001', limit: '1000' },
    ])
  })
})

const week: SessionsCalendar = {
  name: 'fx',
  version: 1,
  kind: 'sessions',
  zone: 'America/New_York',
  weekly: [1, 2, 3, 4, 5].map((day) => ({ from: { day, time: '00:00' }, to: { day, time: '17:00' } })),
  holidays: null,
}
describe('cut-offs', () => {
  const closing = {
    instruments: [instrument('TST/USD', { session_calendar: 'fx' }), instrument('ALL/USD')],
    calendars: [week],
  }
  const weekend = (effect: 'hard' | 'soft' | 'flag'): Rule => ({
    rule: 'weekend_flat',
    day: 5,
    time: '15:45',
    zone: 'America/New_York',
    effect,
  })
  const both = (rule: Rule): World => {
    const w = world([rule], closing)
    w.quote(at('08T18:00:00'), '50.00', '50.00', { symbol: 'ALL/USD' }).quote(at('08T18:00:00'), '100.00', '100.00')
    w.buy('10')
    w.buy('10', { symbol: 'ALL/USD' })
    w.order({ price: '90.00' })
    return w
  }
  test('at the week’s cut-off positions in instruments that close are closed, and their orders cancelled', () => {
    const w = both(weekend('flag'))
    w.clock(at('08T20:44:59'))
    expect(w.state.book.positions).toHaveLength(2)
    w.clock(at('08T20:45:00'))
    expect(w.of('violation')).toMatchObject([
      { rule: 'weekend_flat', value: '1', limit: '0', mts: Date.parse(at('08T20:45:00')) },
    ])
    expect(w.of('fill').at(-1)).toMatchObject({ order: 'flat', symbol: 'TST/USD' })
    expect(w.state.book.positions.map((p) => p.symbol)).toEqual(['ALL/USD'])
    expect(w.ended.at(-1)).toBe('#3 cancelled flat')
  })
  test('after it nothing is opened until the session’s end, what is always open is', () => {
    const w = both(weekend('flag'))
    w.quote(at('08T20:50:00'), '100.00', '100.00').quote(at('08T20:50:00'), '50.00', '50.00', { symbol: 'ALL/USD' })
    expect(w.buy('1')).toMatchObject({ code: 'rule_refused', field: 'symbol' })
    expect(w.buy('1', { symbol: 'ALL/USD' })).toMatchObject({ ok: true })
    // the week after the change of clocks: 15:45 in New York is 19:45 UTC, Monday opens at 04:00
    w.quote(at('11T04:00:00'), '100.00', '100.00')
    expect(w.buy('1')).toMatchObject({ ok: true })
    w.clock(at('15T19:45:00'))
    expect(w.of('violation')).toHaveLength(2)
  })
  test('hard fails, soft locks', () => {
    const hard = both(weekend('hard'))
    hard.clock(at('08T20:45:00'))
    expect([hard.state.status, hard.state.book.positions]).toEqual(['failed', []])
    const soft = both(weekend('soft'))
    soft.clock(at('08T20:45:00'))
    expect([soft.state.status, soft.state.book.positions, soft.state.lock?.rule]).toEqual(['started', [], 0])
  })
  test('session_flat closes some minutes before each session ends', () => {
    const w = world([{ rule: 'session_flat', minutes: 10, effect: 'flag' }], closing)
    w.quote(at('04T15:00:00'), '100.00', '100.00')
    w.buy('10')
    w.clock(at('04T21:49:59'))
    expect(w.state.book.positions).toHaveLength(1)
    w.clock(at('04T21:50:00'))
    expect(w.state.book.positions).toEqual([])
    w.quote(at('04T21:55:00'), '100.00', '100.00')
    expect(w.buy('1')).toMatchObject({ code: 'rule_refused' })
    w.quote(at('05T14:00:00'), '100.00', '100.00')
    expect(w.buy('1')).toMatchObject({ ok: true })
  })
  test('no position at the cut-off is no breach', () => {
    const w = world([weekend('hard')], closing)
    w.clock(at('08T21:00:00'))
    expect(w.of('violation')).toEqual([])
  })
})
test('objectives stay open for days that are not there yet', () => {
  const w = world([target, days])
  w.buy('1000')
  price(w, '04T09:00:00', '101.00')
  w.sell('1000')
  expect(w.state.status).toBe('started')
})
test('a swap at the instant of a cut-off that closes nothing is judged at it', () => {
  const swap = {
    zone: 'America/New_York',
    time: '15:45',
    unit: 'points',
    long: '-2',
    short: '0',
    triple: null,
  } as const
  const loss: Rule = {
    rule: 'max_loss',
    mode: 'static',
    limit: { amount: '1999' },
    lock: null,
    metric: 'equity',
    compare: 'lt',
    effect: 'hard',
  }
  const flat: Rule = { rule: 'weekend_flat', day: 5, time: '15:45', zone: 'America/New_York', effect: 'hard' }
  const w = world([flat, loss], { instruments: [instrument('TST/USD', { swap })] })
  w.quote(at('08T18:00:00'), '100.00', '100.00')
  w.buy('1000')
  const { mseq } = w.replay.view
  w.clock(at('08T20:45:00'))
  // at the deadline, with the marks before the event: not at the event
  expect(w.of('verdict')).toMatchObject([{ verdict: 'failed', rule: 'max_loss', mseq }])
})
