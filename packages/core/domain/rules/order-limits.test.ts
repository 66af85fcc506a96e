/** Rules that look at an order alone: what it is, when it comes, how many came before it. */
import { describe, expect, test } from 'bun:test'
import { factsOf, marketOf, SYMBOL } from '../../testing/book.ts'
import { orderOf, positionOf } from '../../testing/request.ts'
import { newRuleState, type Order } from '../engine/state.ts'
import { ZERO } from '../money/dec.ts'
import { zoneOf } from '../time/zone.ts'
import { allowedSessions, isAllowedAt } from './allowed-sessions.ts'
import { allowedSides } from './allowed-sides.ts'
import { allowedSymbols } from './allowed-symbols.ts'
import type { OrderRequest } from './kind.ts'
import { maxOrdersPerDay } from './max-orders-per-day.ts'
import type { AllowedSessionsRule } from './types.ts'

const request = (order: Order): OrderRequest => ({
  order,
  market: marketOf(),
  reference: ZERO,
  quoteOf: () => null,
  adding: new Map(),
})
const none = newRuleState()

test('orders of a day up to their number, whatever the day before had', () => {
  const rule = { rule: 'max_orders_per_day' as const, n: 3, effect: 'gate' as const }
  const refusal = (orders: number) =>
    maxOrdersPerDay.refuse!(rule, request(orderOf({ quantity: '1' })), factsOf({ day: { orders } }), none)
  expect([refusal(0), refusal(2)]).toEqual([null, null])
  expect(refusal(3)).toEqual({ detail: 'at most 3 orders a day; with this one 4', field: 'quantity' })
})

test('only the sides and symbols that are listed', () => {
  const sides = { rule: 'allowed_sides' as const, sides: ['buy' as const], effect: 'gate' as const }
  const symbols = { rule: 'allowed_symbols' as const, symbols: [SYMBOL], effect: 'gate' as const }
  const facts = factsOf()
  const side = (s: 'buy' | 'sell') =>
    allowedSides.refuse!(sides, request(orderOf({ side: s, quantity: '1' })), facts, none)
  expect(side('buy')).toBeNull()
  expect(side('sell')).toMatchObject({ field: 'side' })
  const symbol = (s: string) =>
    allowedSymbols.refuse!(symbols, request(orderOf({ symbol: s, quantity: '1' })), facts, none)
  expect(symbol(SYMBOL)).toBeNull()
  expect(symbol('XXX/USD')).toMatchObject({ field: 'symbol' })
})

test('the sides that are held are served', () => {
  const held = (...quantities: string[]) => {
    const positions = quantities.map((quantity) => positionOf(quantity))
    const account = { book: { phase: 0, balance: ZERO, positions, taken: [] } }
    const rule = { rule: 'allowed_sides' as const, sides: ['buy' as const], effect: 'gate' as const }
    return allowedSides.standing!(rule, factsOf({ account }), none, () => null).value
  }
  expect([held('1'), held('-1'), held('1', '-1')]).toEqual(['buy', 'sell', 'buy sell'])
})

describe('sessions', () => {
  const rule = (windows: AllowedSessionsRule['windows']): AllowedSessionsRule => ({
    rule: 'allowed_sessions',
    zone: 'America/New_York',
    windows,
    effect: 'gate',
  })
  const isOpen = (windows: AllowedSessionsRule['windows'], at: string, zone = 'America/New_York') =>
    isAllowedAt(rule(windows), zoneOf(zone), Date.parse(at))
  const WEEK = [1, 2, 3, 4, 5]

  test('from their start up to, not including, their end, in local time', () => {
    const open = (at: string) => isOpen([{ days: WEEK, from: '09:30', to: '16:00' }], at)
    // Monday 4 March 2024, New York is 5 h behind; from 10 March on 4 h
    expect(open('2024-03-04T14:29:59.999Z')).toBe(false)
    expect(open('2024-03-04T14:30:00Z')).toBe(true)
    expect(open('2024-03-04T20:59:59.999Z')).toBe(true)
    expect(open('2024-03-04T21:00:00Z')).toBe(false)
    expect(open('2024-03-11T13:30:00Z')).toBe(true)
    expect(open('2024-03-11T20:00:00Z')).toBe(false)
    expect([open('2024-03-08T15:00:00Z'), open('2024-03-09T15:00:00Z')]).toEqual([true, false])
  })

  test('one that ends before it starts ends on the next day', () => {
    const open = (at: string) => isOpen([{ days: [5], from: '22:00', to: '02:00' }], at)
    // Friday 8 March 22:00 is 03:00 UTC on Saturday
    expect(open('2024-03-09T02:59:59Z')).toBe(false)
    expect(open('2024-03-09T03:00:00Z')).toBe(true)
    expect(open('2024-03-09T06:59:59Z')).toBe(true)
    expect(open('2024-03-09T07:00:00Z')).toBe(false)
    expect(open('2024-03-08T03:30:00Z')).toBe(false)
  })

  test('one from a time to the same is a whole day, and so is one from 00:00 to 24:00', () => {
    for (const window of [
      { days: [1], from: '00:00', to: '24:00' },
      { days: [1], from: '00:00', to: '00:00' },
    ]) {
      const open = (at: string) => isOpen([window], at)
      expect(open('2024-03-04T04:59:59Z')).toBe(false)
      expect(open('2024-03-04T05:00:00Z')).toBe(true)
      expect(open('2024-03-05T04:59:59Z')).toBe(true)
      expect(open('2024-03-05T05:00:00Z')).toBe(false)
    }
  })

  test('the day is the local one, ahead of UTC or behind it', () => {
    const monday = [{ days: [1], from: '00:00', to: '24:00' }]
    const prague = (at: string) => isOpen(monday, at, 'Europe/Prague')
    expect([prague('2024-03-03T22:59:59Z'), prague('2024-03-03T23:00:00Z')]).toEqual([false, true])
    expect([prague('2024-03-04T22:59:59Z'), prague('2024-03-04T23:00:00Z')]).toEqual([true, false])
    expect([isOpen(monday, '2024-03-05T04:30:00Z'), isOpen(monday, '2024-03-04T04:30:00Z')]).toEqual([true, false])
  })

  test('an order outside of them is refused', () => {
    const refusal = (at: string) =>
      allowedSessions.refuse!(
        rule([{ days: WEEK, from: '09:30', to: '16:00' }]),
        request(orderOf({ quantity: '1' })),
        factsOf({ at: Date.parse(at) }),
        none,
      )
    expect(refusal('2024-03-04T14:30:00Z')).toBeNull()
    expect(refusal('2024-03-04T14:29:59Z')).toMatchObject({ field: 'symbol' })
  })
})
