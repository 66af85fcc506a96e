import { newsWindows, type Window, windowAt } from '../calendars/news.ts'
import type { Compiled } from '../engine/compile.ts'
import type { NewsWindowRule } from '../engine/types.ts'
import { ZERO } from '../money/dec.ts'
import type { RuleKind } from './kind.ts'
import { listOf } from './standing.ts'

type Windows = ReturnType<typeof newsWindows>
const kept = new WeakMap<Compiled, Map<NewsWindowRule, Windows>>()

/** RangeError where the calendar is not among the pinned ones. */
function windowsOf(rule: NewsWindowRule, compiled: Compiled): Windows {
  const byRule = kept.get(compiled) ?? new Map<NewsWindowRule, Windows>()
  kept.set(compiled, byRule)
  let windows = byRule.get(rule)
  if (!windows) {
    const calendar = compiled.spec.calendars.find((c) => c.kind === 'news' && c.name === rule.calendar)
    if (calendar?.kind !== 'news')
      throw new RangeError(`news_window: calendar: there is no news calendar ${rule.calendar}`)
    windows = newsWindows(rule, calendar)
    byRule.set(rule, windows)
  }
  return windows
}
/** The window of news that hit a symbol now; null: none. */
export const newsAt = (rule: NewsWindowRule, compiled: Compiled, symbol: string, at: number): Window | null =>
  windowAt(windowsOf(rule, compiled).of(compiled.markets.get(symbol)!.doc), at)

/** News forbid acts inside [T - before_s, T + after_s] (reference 3.7): refused, held back, or a breach. */
export const newsWindow: RuleKind<NewsWindowRule> = {
  isForbidden: (rule, act, symbol, facts) =>
    rule.forbids.includes(act) && newsAt(rule, facts.compiled, symbol, facts.at) !== null,
  standing(rule, facts) {
    const hit = [...facts.compiled.markets.keys()].filter((s) => newsAt(rule, facts.compiled, s, facts.at))
    return { ...listOf(hit, rule.forbids), metric: 'symbols_in_news', used: { part: ZERO, whole: { n: 1n, s: 0 } } }
  },
}
