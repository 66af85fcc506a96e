/**
 * What the coming reset can do to an account whose book stays as it is: an index asks, so that a reset of very many
 * accounts looks at once only at those that it may decide.
 */
import { isCrossed } from '@assay/core/domain/engine/breach'
import type { Compiled } from '@assay/core/domain/engine/compile'
import { rulesOf } from '@assay/core/domain/engine/facts'
import { type AccountState, newRuleState } from '@assay/core/domain/engine/state'
import type { MaxDailyLossRule } from '@assay/core/domain/engine/types'
import { type Dec, gt, max } from '@assay/core/domain/money/dec'
import { type Facts, metricOf } from '@assay/core/domain/rules/kind'
import { kindOf } from '@assay/core/domain/rules/table'

const freshDay = (state: AccountState, compiled: Compiled, equity: Dec): Facts => {
  const { balance } = state.book
  return {
    initial: compiled.initial,
    balance,
    equity,
    day: { ...state.day!, balance, equity, high: equity },
    flat: false,
    at: state.day!.next,
  }
}
const followsEquity = (rule: MaxDailyLossRule): boolean => rule.anchor !== 'balance' && rule.anchor !== 'initial'
const floorAt = (rule: MaxDailyLossRule, state: AccountState, compiled: Compiled, equity: Dec): Dec =>
  kindOf(rule).floor!(rule, freshDay(state, compiled, equity), newRuleState())

/** The highest floor under equity that the reset is sure to set; null: it sets none, or one that follows equity. */
export function comingFloor(state: AccountState, compiled: Compiled): Dec | null {
  let highest: Dec | null = null
  for (const rule of rulesOf(state, compiled)) {
    if (rule.rule !== 'max_daily_loss' || followsEquity(rule)) continue
    if (rule.metric === 'balance' || rule.tested === 'reset') continue
    const floor = floorAt(rule, state, compiled, state.book.balance)
    highest = highest ? max(highest, floor) : floor
  }
  return highest
}

/**
 * True is a proof: with equity from `least` to `most` (null: any) at the reset nothing is crossed before or after it,
 * no gate opens, and no floor under equity rises above `least`. Floors are linear in the equity they hang on, so both
 * ends bound them. Counted days of trading are the same before and after a reset; those by result are known only then.
 */
export function isQuietReset(state: AccountState, compiled: Compiled, least: Dec, most: Dec | null): boolean {
  if (state.status !== 'started' || state.provisional) return false
  const worst = { balance: state.book.balance, equity: least }
  return rulesOf(state, compiled).every((rule, i) => {
    if (rule.rule === 'min_trading_days') return rule.counts === 'opened' || rule.counts === 'opened_and_closed'
    if (rule.rule !== 'max_daily_loss') return true
    if (rule.anchor === 'day_high') return false
    const value = metricOf(rule.metric, worst)
    // a rule tested at resets is held against the old floor, and at the reset after it against the new one
    if (rule.tested === 'reset' && isCrossed(rule, value, state.rules[i]!.floor!)) return false
    if (!followsEquity(rule)) return !isCrossed(rule, value, floorAt(rule, state, compiled, least))
    if (most === null) return false
    const [a, b] = [floorAt(rule, state, compiled, least), floorAt(rule, state, compiled, most)]
    return !isCrossed(rule, value, gt(a, b) ? a : b)
  })
}
