/** Early warnings: written when a share of an allowance is used for the first time since the last reset. */
import { type Dec, lte, mul, sign, str, sub } from '../money/dec.ts'
import type { Facts } from '../rules/kind.ts'
import { metricOf } from '../rules/kind.ts'
import type { FloorEntry } from '../rules/phase-rules.ts'
import { sortedRules } from './facts.ts'
import type { RuleState } from './state.ts'
import { own, type Turn, write } from './turn.ts'

/** The value at or below which the next warning of a rule is due; null: none is. */
export function nextWarning(
  entry: FloorEntry,
  facts: Facts,
  state: RuleState = facts.account.rules[entry.index]!,
): Dec | null {
  const fraction = facts.compiled.warnings[state.warned]
  if (!fraction || !state.floor || !entry.kind.start) return null
  const start = entry.kind.start(entry.rule, facts, state)
  const allowance = sub(start, state.floor)
  return sign(allowance) > 0 ? sub(start, mul(fraction, allowance)) : null
}

export function writeWarnings(turn: Turn, facts: Facts): void {
  const fractions = turn.compiled.warnings
  if (fractions.length === 0) return
  let now = facts
  for (const entry of sortedRules(turn.state, turn.compiled).warned) {
    const value = metricOf(entry.metric, facts)
    for (;;) {
      const level = nextWarning(entry, now)
      if (!level || !lte(value, level)) break
      const state = own(turn).rules[entry.index]!
      now = { ...facts, account: turn.state }
      write(turn, {
        kind: 'warning',
        phase: turn.state.phase,
        rule: entry.rule.rule,
        index: entry.index,
        fraction: str(fractions[state.warned]!),
        value: str(value),
        limit: str(state.floor!),
      })
      state.warned += 1
    }
  }
}
