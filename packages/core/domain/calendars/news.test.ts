import { expect, test } from 'bun:test'
import type { NewsWindowRule } from '../rules/types.ts'
import type { NewsCalendar } from './calendar.ts'
import { newsWindows, windowAt } from './news.ts'

const at = (text: string) => Date.parse(text)
const rule: NewsWindowRule = {
  rule: 'news_window',
  calendar: 'news',
  before_s: 120,
  after_s: 120,
  impact: ['high'],
  also: { USD: ['XAU/EUR'] },
  forbids: ['open', 'close'],
  effect: 'hard',
}
const calendar = (...events: [string, string, ('low' | 'medium' | 'high')?][]): NewsCalendar => ({
  name: 'news',
  version: 3,
  kind: 'news',
  events: events.map(([when, currency, impact = 'high']) => ({ at: when, currency, impact })),
})
const eurusd = { symbol: 'EUR/USD', base: 'EUR', quote: 'USD' }

test('24: both ends of the window are inside, a millisecond before it is not', () => {
  const windows = newsWindows(rule, calendar(['2026-05-01T14:30:00Z', 'USD'])).of(eurusd)
  expect(windowAt(windows, at('2026-05-01T14:27:59.999Z'))).toBe(null)
  expect(windowAt(windows, at('2026-05-01T14:28:00Z'))).not.toBe(null)
  expect(windowAt(windows, at('2026-05-01T14:32:00Z'))).not.toBe(null)
  expect(windowAt(windows, at('2026-05-01T14:32:00.001Z'))).toBe(null)
})
test('windows that overlap or share an instant merge; others stay apart', () => {
  const { all } = newsWindows(
    rule,
    calendar(
      ['2026-05-01T14:34:00Z', 'USD'],
      ['2026-05-01T14:30:00Z', 'EUR'],
      ['2026-05-01T14:38:00.001Z', 'USD'],
      ['2026-05-01T14:31:00Z', 'USD'],
    ),
  )
  expect(all).toEqual([
    { from: at('2026-05-01T14:28:00Z'), to: at('2026-05-01T14:36:00Z') },
    { from: at('2026-05-01T14:36:00.001Z'), to: at('2026-05-01T14:40:00.001Z') },
  ])
})
test('a short event inside a long window does not shorten it', () => {
  const long = newsWindows(
    { ...rule, before_s: 600, after_s: 600 },
    calendar(['2026-05-01T14:30:00Z', 'USD'], ['2026-05-01T14:31:00Z', 'USD']),
  )
  expect(long.all).toEqual([{ from: at('2026-05-01T14:20:00Z'), to: at('2026-05-01T14:41:00Z') }])
})
test('news hit symbols that hold the currency on either side, and those that the rule maps to it', () => {
  const news = newsWindows(rule, calendar(['2026-05-01T14:30:00Z', 'USD']))
  const hits = (symbol: string) => {
    const [base, quote] = symbol.split('/') as [string, string]
    return news.of({ symbol, base, quote }).length > 0
  }
  expect(['EUR/USD', 'USD/JPY', 'XAU/EUR', 'EUR/JPY'].map(hits)).toEqual([true, true, true, false])
})
test('news of an impact that the rule does not name make no window', () => {
  expect(newsWindows(rule, calendar(['2026-05-01T14:30:00Z', 'USD', 'medium'])).of(eurusd)).toEqual([])
})
test('an instant in any zone is the same instant', () => {
  expect(newsWindows(rule, calendar(['2026-05-01T16:30:00+02:00', 'USD'])).all[0]!.from).toBe(
    at('2026-05-01T14:28:00Z'),
  )
})
test.each([
  ['events[0].at', calendar(['2026-05-01T14:30:00', 'USD'])],
  ['events[0].currency', calendar(['2026-05-01T14:30:00Z', 'dollar'])],
  ['events[0].impact', calendar(['2026-05-01T14:30:00Z', 'USD', 'huge' as 'high'])],
])('news that are not sound are refused and the field named: %s', (field, bad) => {
  expect(() => newsWindows(rule, bad)).toThrow(`calendar news: ${field}`)
})
