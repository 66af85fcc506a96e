import type { MaxOpenPositionsRule } from '../engine/types.ts'
import { opensPosition, positionsCounted, waitingNow } from './exposure.ts'
import type { RuleKind } from './kind.ts'
import { countOf } from './standing.ts'

/** Positions at once (hedging: tickets); what waiting orders would open counts. */
export const maxOpenPositions: RuleKind<MaxOpenPositionsRule> = {
  refuse(rule, request, facts) {
    if (!opensPosition(facts, request)) return null
    const count = positionsCounted(facts, request) + 1
    if (count <= rule.n) return null
    return { detail: `at most ${rule.n} positions at once; with this order ${count}`, field: 'symbol' }
  },
  standing: (rule, facts, _, quoteOf) => countOf(positionsCounted(facts, waitingNow(facts, quoteOf)), rule.n, null),
}
