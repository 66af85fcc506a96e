import type { RuleState } from '../engine/state.ts'
import type { MinHoldingTimeRule } from '../engine/types.ts'
import { dec, div, mul, ofInt, sub, ZERO } from '../money/dec.ts'
import { type Facts, isPast, type Measure, type RuleKind } from './kind.ts'

function measured(rule: MinHoldingTimeRule, facts: Facts, state: RuleState): Measure | null {
  const { closed } = facts.account.trades
  if (closed === 0) return null
  return {
    metric: 'short_trades',
    value: ofInt(state.short),
    limit: mul(dec(rule.share), ofInt(closed)),
    side: 'above',
  }
}

/** Trades closed sooner than the rule's seconds, against their share of all closed ones. A trade ends when its position is closed wholly. */
export const minHoldingTime: RuleKind<MinHoldingTimeRule> = {
  countsTrades: () => true,
  onFill(rule, fill, facts, state) {
    if (fill.ended && facts.at - fill.ended.openedAt < rule.seconds * 1000) state.short += 1
  },
  measure: measured,
  met(rule, facts, state) {
    const now = measured(rule, facts, state)
    return !now || !isPast(now, rule.compare)
  },
  standing(rule, facts, state) {
    const { closed } = facts.account.trades
    const share = closed === 0 ? ZERO : div(ofInt(state.short), ofInt(closed))
    const limit = dec(rule.share)
    return {
      metric: 'short_trades',
      value: share,
      limit,
      remaining: sub(limit, share),
      used: { part: share, whole: limit },
      met: rule.effect === 'gate' ? minHoldingTime.met!(rule, facts, state) : null,
      unit: 'number',
    }
  },
}
