/** What a rule needs from its phase, its calendars and zones: looked at when an account is compiled, not when it trades. */
import type { Compiled } from '../engine/compile.ts'
import type { Rule } from '../engine/types.ts'
import { newsAt } from './news-window.ts'

/** Measured by the profit target of their phase. */
const needsTarget = (rule: Rule): boolean =>
  (rule.rule === 'max_loss' && rule.lock?.at === 'target') ||
  (rule.rule === 'consistency' && (rule.basis === 'target' || rule.basis === 'trade'))

/** Throws RangeError that names the rule. */
export function requireSoundPhases(compiled: Compiled): void {
  compiled.spec.phases.forEach(({ rules }, p) => {
    rules.forEach((rule, r) => {
      const place = `phases[${p}].rules[${r}]: ${rule.rule}`
      if (needsTarget(rule) && !rules.some((other) => other.rule === 'profit_target'))
        throw new RangeError(`${place}: needs a profit_target in its phase`)
      if (rule.rule === 'weekend_flat' || rule.rule === 'allowed_sessions') compiled.zoneNamed(rule.zone)
      if (rule.rule === 'news_window') for (const symbol of compiled.markets.keys()) newsAt(rule, compiled, symbol, 0)
    })
  })
}
