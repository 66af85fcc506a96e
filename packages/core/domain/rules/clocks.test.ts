/** Rules that time alone decides. */
import { describe, expect, test } from 'bun:test'
import { bookOf, type FactsText, factsOf, SYMBOL } from '../../testing/book.ts'
import { orderOf, positionOf, requestOf } from '../../testing/request.ts'
import { instrument } from '../../testing/world.ts'
import type { SessionsCalendar } from '../calendars/calendar.ts'
import { newRuleState, newTrades, type RuleState } from '../engine/state.ts'
import { str } from '../money/dec.ts'
import { inactivity } from './inactivity.ts'
import type { BookedFill, RuleKind } from './kind.ts'
import { sessionFlat } from './session-flat.ts'
import { timeLimit } from './time-limit.ts'
import type { InactivityRule, Rule, SessionFlatRule, TimeLimitRule, WeekendFlatRule } from './types.ts'
import { weekendFlat } from './weekend-flat.ts'

const ms = (at: string) => Date.parse(at)
const iso = (at: number | null) => at && new Date(at).toISOString().replace('.000Z', 'Z')
const FILL = {} as BookedFill

/** One rule's clock; every step says when it is due next. */
class Clock<R extends Rule> {
  readonly state: RuleState = newRuleState()
  constructor(
    private readonly kind: RuleKind<R>,
    private readonly rule: R,
    private readonly text: FactsText = {},
  ) {}
  facts(at: string, more: FactsText = {}) {
    return factsOf({ ...this.text, ...more, at: ms(at) })
  }
  open(at: string) {
    this.kind.open?.(this.rule, this.facts(at), this.state)
    return iso(this.state.due)
  }
  fill(at: string, more: FactsText = {}) {
    this.kind.onFill!(this.rule, FILL, this.facts(at, more), this.state)
    return iso(this.state.due)
  }
  endDay(at: string, more: FactsText = {}) {
    this.kind.endDay!(this.rule, this.facts(at, more), this.state)
    return iso(this.state.due)
  }
  pass(at: string, more: FactsText = {}) {
    return this.kind.passDue!(this.rule, this.facts(at, more), this.state)
  }
  left(at: string) {
    const { remaining } = this.kind.standing!(this.rule, this.facts(at), this.state, () => null)
    return typeof remaining === 'string' ? remaining : str(remaining)
  }
}

describe('inactivity', () => {
  const rule: InactivityRule = { rule: 'inactivity', days: 30, effect: 'hard' }
  test('so many times 24 hours from the start, and from every fill on', () => {
    const clock = new Clock(inactivity, rule)
    expect(clock.open('2024-03-01T10:00:00Z')).toBe('2024-03-31T10:00:00Z')
    expect(clock.fill('2024-03-05T11:30:00Z')).toBe('2024-04-04T11:30:00Z')
    expect(clock.left('2024-03-05T23:30:00Z')).toBe('29.5')
  })

  test('is said once, until a fill starts it again', () => {
    const clock = new Clock(inactivity, rule)
    clock.open('2024-03-01T10:00:00Z')
    expect(clock.pass('2024-03-31T10:00:00Z').found).toMatchObject({ metric: 'days_without_fill', side: 'above' })
    expect(clock.state.due).toBeNull()
    expect(clock.left('2024-03-31T10:00:00Z')).toBe('0')
    expect(clock.fill('2024-04-01T10:00:00Z')).toBe('2024-05-01T10:00:00Z')
  })
})

describe('time limit', () => {
  const rule = (more: Partial<TimeLimitRule>): TimeLimitRule => ({
    rule: 'time_limit',
    days: 30,
    unit: 'calendar',
    from: 'start',
    effect: 'hard',
    ...more,
  })
  const firstAt = (at: string): FactsText => ({ account: { trades: { ...newTrades(), firstAt: ms(at) } } })

  test('calendar days are local dates at the same local time, over a change of clocks too', () => {
    // Prague: winter time until 31 March 2024
    expect(new Clock(timeLimit, rule({})).open('2024-03-15T10:00:00Z')).toBe('2024-04-14T09:00:00Z')
    expect(new Clock(timeLimit, rule({ days: 5 })).open('2024-03-15T10:00:00Z')).toBe('2024-03-20T10:00:00Z')
    expect(
      new Clock(timeLimit, rule({ days: 5 })).fill('2024-03-15T10:00:00Z', firstAt('2024-03-15T10:00:00Z')),
    ).toBeNull()
  })

  test('from the first fill: that one alone starts it', () => {
    const clock = new Clock(timeLimit, rule({ from: 'first_fill' }))
    expect(clock.open('2024-03-01T10:00:00Z')).toBeNull()
    expect(clock.left('2024-03-01T10:00:00Z')).toBe('30')
    expect(clock.fill('2024-03-02T10:00:00Z', firstAt('2024-03-02T10:00:00Z'))).toBe('2024-04-01T09:00:00Z')
    expect(clock.fill('2024-03-09T10:00:00Z', firstAt('2024-03-02T10:00:00Z'))).toBe('2024-04-01T09:00:00Z')
    expect(
      new Clock(timeLimit, rule({ from: 'first_fill' })).fill('2024-03-09T10:00:00Z', firstAt('2024-03-02T10:00:00Z')),
    ).toBeNull()
  })

  test('the first fill does not set a time that the phase has kept', () => {
    const clock = new Clock(timeLimit, rule({ from: 'first_fill' }))
    clock.state.due = ms('2024-05-01T00:00:00Z')
    expect(clock.fill('2024-03-02T10:00:00Z', firstAt('2024-03-02T10:00:00Z'))).toBe('2024-05-01T00:00:00Z')
  })

  test('trading days: the reset that ends the n-th one', () => {
    const clock = new Clock(timeLimit, rule({ unit: 'trading', days: 2 }))
    expect(clock.open('2024-03-04T10:00:00Z')).toBeNull()
    expect(clock.endDay('2024-03-04T23:00:00Z')).toBeNull()
    expect(clock.endDay('2024-03-05T23:00:00Z')).toBe('2024-03-05T23:00:00Z')
    expect(new Clock(timeLimit, rule({ days: 1 })).endDay('2024-03-04T23:00:00Z')).toBeNull()
  })

  test('trading days: a paused one does not count, nor one before the first fill where that starts them', () => {
    const count = (more: Partial<TimeLimitRule>, text: FactsText) =>
      new Clock(timeLimit, rule({ unit: 'trading', days: 1, ...more })).endDay('2024-03-04T23:00:00Z', text)
    expect(count({}, { account: { status: 'paused' } })).toBeNull()
    expect(count({ from: 'first_fill' }, {})).toBeNull()
    expect(count({ from: 'first_fill' }, firstAt('2024-03-04T10:00:00Z'))).toBe('2024-03-04T23:00:00Z')
  })

  test('trading days: one without a session in any instrument does not count', () => {
    const spec = { instruments: [instrument(SYMBOL, { session_calendar: 'weekdays' })], calendars: [WEEKDAYS] }
    const ends = (start: string, next: string) =>
      new Clock(timeLimit, rule({ unit: 'trading', days: 1 }), { spec }).endDay(next, {
        day: { start: ms(start), next: ms(next) },
      })
    expect(ends('2024-03-07T23:00:00Z', '2024-03-08T23:00:00Z')).toBe('2024-03-08T23:00:00Z')
    expect(ends('2024-03-08T23:00:00Z', '2024-03-09T23:00:00Z')).toBeNull()
  })

  test('when it is over the phase expires, once', () => {
    const clock = new Clock(timeLimit, rule({ days: 5 }))
    clock.open('2024-03-15T10:00:00Z')
    expect(clock.left('2024-03-18T22:00:00Z')).toBe('1.5')
    expect(clock.pass('2024-03-20T10:00:00Z')).toEqual({ expires: true })
    expect(clock.state.due).toBeNull()
  })
})

// ---- flat at a cut-off ----------------------------------------------------------------------------------------
/** Monday to Friday, 08:00 to 22:00 in Prague. */
const WEEKDAYS: SessionsCalendar = {
  name: 'weekdays',
  version: 1,
  kind: 'sessions',
  zone: 'Europe/Prague',
  weekly: [1, 2, 3, 4, 5].map((day) => ({ from: { day, time: '08:00' }, to: { day, time: '22:00' } })),
  holidays: null,
}
/** From Sunday night to Friday night without a break. */
const FX: SessionsCalendar = {
  ...WEEKDAYS,
  name: 'fx',
  weekly: [
    { from: { day: 7, time: '23:00' }, to: { day: 7, time: '24:00' } },
    { from: { day: 1, time: '00:00' }, to: { day: 5, time: '23:00' } },
  ],
}
const SPEC = {
  calendars: [WEEKDAYS, FX],
  instruments: [
    instrument(SYMBOL, { session_calendar: 'fx' }),
    instrument('DAX/USD', { session_calendar: 'weekdays' }),
    instrument('BTC/USD'),
  ],
}
const holding = (...symbols: string[]): FactsText => ({
  account: { book: { ...bookOf(), positions: symbols.map((symbol) => positionOf('1', '0', symbol)) } },
})
const flattens = (due: ReturnType<NonNullable<RuleKind<Rule>['passDue']>>) =>
  [SYMBOL, 'DAX/USD', 'BTC/USD'].filter((symbol) => due.flatten!(symbol))
const refused = <R extends Rule>(kind: RuleKind<R>, rule: R, symbol: string, at: string) => {
  const facts = factsOf({ spec: SPEC, at: ms(at) })
  return (
    kind.refuse!(
      rule,
      requestOf(orderOf({ symbol, quantity: '1' }), facts, () => null),
      facts,
      newRuleState(),
    ) !== null
  )
}

describe('weekend', () => {
  const rule: WeekendFlatRule = { rule: 'weekend_flat', day: 5, time: '21:45', zone: 'Europe/Prague', effect: 'soft' }
  const clock = () => new Clock(weekendFlat, rule, { spec: SPEC })

  test('the cut-off is a local time of a week day, this week or the next', () => {
    expect(clock().open('2024-03-04T10:00:00Z')).toBe('2024-03-08T20:45:00Z')
    expect(clock().open('2024-03-08T20:44:59Z')).toBe('2024-03-08T20:45:00Z')
    expect(clock().open('2024-03-08T20:45:00Z')).toBe('2024-03-15T20:45:00Z')
    // clocks change on 31 March
    expect(clock().open('2024-03-31T10:00:00Z')).toBe('2024-04-05T19:45:00Z')
    // a local Monday that is Sunday in UTC
    const monday = new Clock(weekendFlat, { ...rule, day: 1, time: '00:15' }, { spec: SPEC })
    expect(monday.open('2024-03-10T23:30:00Z')).toBe('2024-03-17T23:15:00Z')
    expect(monday.open('2024-03-10T23:10:00Z')).toBe('2024-03-10T23:15:00Z')
  })

  test('it closes what stands in instruments that close, and only that is a breach', () => {
    const due = clock().pass('2024-03-08T20:45:00Z', holding(SYMBOL, 'DAX/USD', 'BTC/USD'))
    expect(flattens(due)).toEqual([SYMBOL, 'DAX/USD'])
    expect([str(due.found!.value), str(due.found!.limit), due.found!.side]).toEqual(['2', '0', 'above'])
    const open = clock().pass('2024-03-08T20:45:00Z', holding('BTC/USD'))
    expect([open.found, flattens(open)]).toEqual([undefined, [SYMBOL, 'DAX/USD']])
  })

  test('the next one is a week later', () => {
    const own = clock()
    own.pass('2024-03-08T20:45:00Z')
    expect(iso(own.state.due)).toBe('2024-03-15T20:45:00Z')
  })

  test('between the cut-off and the end of the session nothing is opened; after it is another week', () => {
    const of = (symbol: string) => (at: string) => refused(weekendFlat, rule, symbol, at)
    const fx = of(SYMBOL)
    expect([fx('2024-03-08T20:44:59Z'), fx('2024-03-08T20:45:00Z'), fx('2024-03-08T21:59:59Z')]).toEqual([
      false,
      true,
      true,
    ])
    expect([fx('2024-03-08T22:00:00Z'), fx('2024-03-10T22:00:00Z'), fx('2024-03-11T10:00:00Z')]).toEqual([
      false,
      false,
      false,
    ])
    expect([of('DAX/USD')('2024-03-08T20:50:00Z'), of('DAX/USD')('2024-03-08T21:00:00Z')]).toEqual([true, false])
    expect(of('BTC/USD')('2024-03-08T20:50:00Z')).toBe(false)
  })
})

describe('session end', () => {
  const rule: SessionFlatRule = { rule: 'session_flat', minutes: 10, effect: 'soft' }
  const clock = () => new Clock(sessionFlat, rule, { spec: SPEC })

  test('the cut-off is so many minutes before the first session ends', () => {
    expect(clock().open('2024-03-04T10:00:00Z')).toBe('2024-03-04T20:50:00Z')
    expect(clock().open('2024-03-04T20:49:59Z')).toBe('2024-03-04T20:50:00Z')
    expect(clock().open('2024-03-04T20:50:00Z')).toBe('2024-03-05T20:50:00Z')
    expect(clock().open('2024-03-08T20:50:00Z')).toBe('2024-03-08T21:50:00Z')
  })

  test('without an instrument that closes there is none', () => {
    const spec = { instruments: [instrument('BTC/USD')] }
    expect(new Clock(sessionFlat, rule, { spec }).open('2024-03-04T10:00:00Z')).toBeNull()
  })

  test('it closes only what ends then', () => {
    const monday = clock().pass('2024-03-04T20:50:00Z', holding(SYMBOL, 'DAX/USD', 'BTC/USD'))
    expect([flattens(monday), str(monday.found!.value)]).toEqual([['DAX/USD'], '1'])
    const friday = clock().pass('2024-03-08T21:50:00Z', holding(SYMBOL, 'DAX/USD'))
    expect([flattens(friday), str(friday.found!.value)]).toEqual([[SYMBOL], '1'])
    expect(clock().pass('2024-03-04T20:50:00Z', holding(SYMBOL)).found).toBeUndefined()
  })

  test('the next one follows', () => {
    const own = clock()
    own.pass('2024-03-08T20:50:00Z')
    expect(iso(own.state.due)).toBe('2024-03-08T21:50:00Z')
  })

  test('between the cut-off and the end nothing is opened', () => {
    const dax = (at: string) => refused(sessionFlat, rule, 'DAX/USD', at)
    expect([dax('2024-03-04T20:49:59Z'), dax('2024-03-04T20:50:00Z'), dax('2024-03-04T20:59:59Z')]).toEqual([
      false,
      true,
      true,
    ])
    expect([dax('2024-03-04T21:00:00Z'), dax('2024-03-05T07:00:00Z')]).toEqual([false, false])
    expect(refused(sessionFlat, rule, 'BTC/USD', '2024-03-04T20:55:00Z')).toBe(false)
  })
})
