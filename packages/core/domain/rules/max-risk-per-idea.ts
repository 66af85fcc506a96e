import { floatingOf } from '../engine/floating.ts'
import type { Idea, RuleState } from '../engine/state.ts'
import type { MaxRiskPerIdeaRule } from '../engine/types.ts'
import type { QuoteOf } from '../instruments/convert.ts'
import { add, type Dec, gt, mul, neg, sub, ZERO } from '../money/dec.ts'
import { countIdea } from './ideas.ts'
import type { Facts, Measure, RuleKind } from './kind.ts'
import { percent } from './limit.ts'
import { mostOf } from './standing.ts'

const limitFor = (rule: MaxRiskPerIdeaRule, facts: Facts): Dec => mul(percent(rule.pct), facts.initial)

/** Ideas that still can lose, or ended at this very instant: one that lies behind was judged when it ended. */
const current = (rule: MaxRiskPerIdeaRule, facts: Facts): Idea[] =>
  facts.account.trades.ideas.filter(
    (i) => i.withinS === rule.within_s && (i.flatSince === null || i.flatSince === facts.at),
  )

interface Loss {
  idea: Idea
  lost: Dec
}
/** The largest loss of an idea: what it realised and what its positions float. */
function worst(rule: MaxRiskPerIdeaRule, facts: Facts, quoteOf: QuoteOf): Loss | null {
  let largest: Loss | null = null
  for (const idea of current(rule, facts)) {
    const open =
      idea.flatSince === null ? floatingOf(facts.account.book, idea.symbol, idea.side, facts.compiled, quoteOf) : ZERO
    const lost = neg(add(idea.realised, open))
    if (!largest || gt(lost, largest.lost)) largest = { idea, lost }
  }
  return largest
}
function measure(rule: MaxRiskPerIdeaRule, facts: Facts, _: RuleState, quoteOf: QuoteOf): Measure | null {
  const value = worst(rule, facts, quoteOf)?.lost
  return value ? { metric: 'idea_loss', value, limit: limitFor(rule, facts), side: 'above' } : null
}

/**
 * Realised and floating loss of one idea against pct of B0 (reference 3.8): trades of one symbol and direction that
 * overlap, or follow at most `within_s` after the last one ended.
 */
export const maxRiskPerIdea: RuleKind<MaxRiskPerIdeaRule> = {
  restsOnMarks: true,
  counter: (rule) => ({ key: `idea ${rule.within_s}`, count: (fill, facts) => countIdea(rule.within_s, fill, facts) }),
  measure,
  reach(rule, facts, _, quoteOf) {
    const now = worst(rule, facts, quoteOf)
    if (!now || now.idea.flatSince !== null) return null
    const left = sub(limitFor(rule, facts), now.lost)
    return { equity: sub(facts.equity, left), side: 'below', symbol: now.idea.symbol }
  },
  standing(rule, facts, state, quoteOf) {
    const limit = limitFor(rule, facts)
    const value = measure(rule, facts, state, quoteOf)?.value ?? ZERO
    return { ...mostOf(value, limit, sub(limit, value), 'money'), metric: 'idea_loss', isLoss: true }
  },
}
