import type { MaxTotalExposureRule } from '../engine/types.ts'
import { dec, gt, str, sub } from '../money/dec.ts'
import { total, waitingNow } from './exposure.ts'
import type { RuleKind } from './kind.ts'
import { mostOf } from './standing.ts'

/** Notional of everything held, the larger side of each symbol; waiting orders count as filled. */
export const maxTotalExposure: RuleKind<MaxTotalExposureRule> = {
  refuse(rule, request, facts) {
    const exposure = total(facts, request, 'notional')
    if (!gt(exposure, dec(rule.notional))) return null
    return {
      detail: `at most ${rule.notional} ${facts.compiled.spec.currency} in all; with this order ${str(exposure)}`,
      field: 'quantity',
    }
  },
  standing(rule, facts, _, quoteOf) {
    const value = total(facts, waitingNow(facts, quoteOf), 'notional')
    const limit = dec(rule.notional)
    return mostOf(value, limit, sub(limit, value), 'money')
  },
}
