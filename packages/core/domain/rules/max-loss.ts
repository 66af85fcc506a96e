import type { MaxLossRule } from '../engine/types.ts'
import { add, type Dec, dec, max, min, mul, sub } from '../money/dec.ts'
import type { Facts, RuleKind } from './kind.ts'
import { limitOf } from './limit.ts'
import { targetOf } from './profit-target.ts'

/** C: the highest that the floor may become; null: no ceiling. */
function ceilingOf(rule: MaxLossRule, facts: Facts): Dec | null {
  if (!rule.lock) return null
  return add(facts.initial, rule.lock.at === 'initial' ? dec(rule.lock.offset) : targetOf(facts))
}
/** The floor under a high-water mark, before its ceiling. */
function under(rule: MaxLossRule, mark: Dec, initial: Dec): Dec {
  const { amount, share, ratio } = limitOf(rule.limit)
  if (ratio) return sub(mark, mul(ratio, mark))
  return sub(mark, amount ?? mul(share!, initial))
}
/** The value at a day's boundary that the floor of an end-of-day mode hangs on; null: the mode has none. */
function endOfDay(rule: MaxLossRule, facts: Facts): Dec | null {
  if (rule.mode === 'eod_balance') return facts.balance
  return rule.mode === 'eod_equity' ? facts.equity : null
}

/**
 * Static: F = B0 - L, constant. Else F = min(C, H - L), or H x (1 - ratio), where H is the highest value that the
 * mode's series has had, B0 at first (reference 3.3): H only rises, so F never falls.
 */
export const maxLoss: RuleKind<MaxLossRule> = {
  side: 'below',
  metric: (rule) => rule.metric,
  floor(rule, facts, state) {
    const floor = under(rule, state.high ?? facts.initial, facts.initial)
    const ceiling = ceilingOf(rule, facts)
    return ceiling ? min(ceiling, floor) : floor
  },
  start: (_, facts, state) => state.high ?? facts.initial,
  open(_, facts, state) {
    state.high = facts.initial
  },
  followsSeries: (rule) => rule.mode === 'closed_balance' || rule.mode === 'intraday_equity',
  series: (rule, facts) => (rule.mode === 'closed_balance' ? facts.balance : facts.equity),
  endDay(rule, facts, state) {
    const value = endOfDay(rule, facts)
    if (value) state.high = max(state.high!, value)
  },
  testedAt: (_, point) => point === 'every',
}
