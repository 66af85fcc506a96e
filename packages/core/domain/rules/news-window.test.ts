import { describe, expect, test } from 'bun:test'
import { factsOf, SYMBOL } from '../../testing/book.ts'
import { instrument } from '../../testing/world.ts'
import type { NewsCalendar } from '../calendars/calendar.ts'
import { newRuleState } from '../engine/state.ts'
import type { Act } from './kind.ts'
import { newsWindow } from './news-window.ts'
import type { NewsWindowRule } from './types.ts'

const NEWS: NewsCalendar = {
  name: 'news',
  version: 1,
  kind: 'news',
  events: [
    { at: '2024-03-08T14:30:00Z', currency: 'USD', impact: 'high' },
    { at: '2024-03-08T14:33:00Z', currency: 'EUR', impact: 'high' },
    { at: '2024-03-08T18:00:00Z', currency: 'USD', impact: 'low' },
  ],
}
const SPEC = { instruments: [instrument('EUR/USD'), instrument('EUR/GBP'), instrument('US30/EUR')], calendars: [NEWS] }
const rule = (more: Partial<NewsWindowRule> = {}): NewsWindowRule => ({
  rule: 'news_window',
  calendar: 'news',
  before_s: 120,
  after_s: 120,
  impact: ['high'],
  also: {},
  forbids: ['open', 'close', 'activation', 'stop_trigger'],
  effect: 'gate',
  ...more,
})
const forbidden = (
  at: string,
  { act = 'close' as Act, symbol = 'EUR/USD', ...more }: Partial<NewsWindowRule> & { act?: Act; symbol?: string } = {},
) => newsWindow.isForbidden!(rule(more), act, symbol, factsOf({ spec: SPEC, at: Date.parse(`2024-03-08T${at}Z`) }))

describe('vector 24', () => {
  test('a close at 14:28:00 is inside the window of 14:30:00, at 14:27:59.999 it is not; a stop at 14:31 is', () => {
    expect([forbidden('14:28:00'), forbidden('14:27:59.999')]).toEqual([true, false])
    expect(forbidden('14:31:00', { act: 'stop_trigger' })).toBe(true)
  })
})

test('both ends are inside, and windows that overlap are one', () => {
  expect(['14:32:30', '14:35:00', '14:35:00.001'].map((at) => forbidden(at))).toEqual([true, true, false])
  expect(['14:32:00', '14:32:00.001'].map((at) => forbidden(at, { before_s: 0 }))).toEqual([true, false])
})

test('news hit what holds their currency, and what the rule maps to it', () => {
  expect(forbidden('14:29:00', { symbol: 'EUR/GBP' })).toBe(false)
  expect(forbidden('14:33:00', { symbol: 'EUR/GBP' })).toBe(true)
  expect(forbidden('14:29:00', { symbol: 'US30/EUR' })).toBe(false)
  expect(forbidden('14:29:00', { symbol: 'US30/EUR', also: { USD: ['US30/EUR'] } })).toBe(true)
})

test('only news of the impacts that the rule names, and only the acts that it forbids', () => {
  expect([forbidden('18:00:00'), forbidden('18:00:00', { impact: ['low'] })]).toEqual([false, true])
  expect(forbidden('14:30:00', { forbids: ['open'], act: 'close' })).toBe(false)
  expect(forbidden('14:30:00', { forbids: ['open'], act: 'open' })).toBe(true)
})

test('two rules over one calendar keep their own windows', () => {
  const facts = factsOf({ spec: SPEC, at: Date.parse('2024-03-08T14:29:00Z') })
  const wide = rule()
  const narrow = rule({ before_s: 30 })
  const at = (own: NewsWindowRule) => newsWindow.isForbidden!(own, 'open', 'EUR/USD', facts)
  expect([at(wide), at(narrow), at(wide)]).toEqual([true, false, true])
})

test('the symbols that news hit now are served', () => {
  const served = (at: string) =>
    newsWindow.standing!(rule(), factsOf({ spec: SPEC, at: Date.parse(at) }), newRuleState(), () => null).value
  expect(served('2024-03-08T14:30:00Z')).toBe('EUR/USD')
  expect(served('2024-03-08T14:34:00Z')).toBe('EUR/USD EUR/GBP US30/EUR')
  expect(served('2024-03-08T15:00:00Z')).toBe('')
})

test('a calendar that is not pinned, or is none of news, is an error that names it', () => {
  const facts = factsOf({ spec: { ...SPEC, instruments: [instrument(SYMBOL)] } })
  expect(() => newsWindow.isForbidden!(rule({ calendar: 'other' }), 'open', SYMBOL, facts)).toThrow('other')
  const sessions = { ...NEWS, kind: 'sessions', zone: 'UTC', weekly: [], holidays: null } as never
  const wrong = factsOf({ spec: { calendars: [sessions] } })
  expect(() => newsWindow.isForbidden!(rule(), 'open', SYMBOL, wrong)).toThrow('no news calendar news')
})
