/** When news forbid something for a symbol: windows around events, merged, both ends inside. */
import type { NewsWindowRule } from '../rules/types.ts'
import type { NewsCalendar } from './calendar.ts'
import { requireSound } from './check-calendar.ts'
import { momentOf } from './local-time.ts'

/** From `from` to `to`, both inside, ms. */
export interface Window {
  from: number
  to: number
}
/** Windows that overlap or share an instant as one, ascending. */
export function mergeWindows(windows: readonly Window[]): Window[] {
  const merged: Window[] = []
  for (const window of [...windows].sort((a, b) => a.from - b.from)) {
    const last = merged[merged.length - 1]
    if (last && window.from <= last.to) last.to = Math.max(last.to, window.to)
    else merged.push({ ...window })
  }
  return merged
}
/** The window that holds an instant; null: none. */
export function windowAt(windows: readonly Window[], at: number): Window | null {
  let low = 0
  let high = windows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (windows[middle]!.to < at) low = middle + 1
    else high = middle
  }
  const found = windows[low]
  return found && found.from <= at ? found : null
}

export interface Named {
  symbol: string
  base: string
  quote: string
}
/**
 * Windows [T - before_s, T + after_s] of the rule's events for one instrument: those of its base and quote currency and
 * of currencies that the rule maps to it. RangeError that names the field for a calendar that is not sound.
 */
export function newsWindows(
  rule: NewsWindowRule,
  calendar: NewsCalendar,
): { of(instrument: Named): readonly Window[]; all: readonly Window[] } {
  requireSound(calendar)
  const kept = new Map<string, readonly Window[]>()
  const windowsFor = (hits: (currency: string) => boolean): Window[] =>
    mergeWindows(
      calendar.events
        .filter(({ currency, impact }) => rule.impact.includes(impact) && hits(currency))
        .map(({ at }) => momentOf(at)!)
        .map((at) => ({ from: at - rule.before_s * 1000, to: at + rule.after_s * 1000 })),
    )
  return {
    all: windowsFor(() => true),
    of(instrument) {
      let found = kept.get(instrument.symbol)
      if (!found) {
        const { symbol, base, quote } = instrument
        found = windowsFor(
          (currency) => currency === base || currency === quote || (rule.also[currency]?.includes(symbol) ?? false),
        )
        kept.set(symbol, found)
      }
      return found
    },
  }
}
