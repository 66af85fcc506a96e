import type { AllowedSidesRule } from '../engine/types.ts'
import { sign } from '../money/dec.ts'
import type { RuleKind } from './kind.ts'
import { listOf } from './standing.ts'

/** Sides on which positions may be opened: an order that only reduces has no side of its own. */
export const allowedSides: RuleKind<AllowedSidesRule> = {
  refuse(rule, { order }) {
    if (rule.sides.includes(order.side)) return null
    return {
      detail: `only ${rule.sides.join(' and ')} orders open positions; this one is a ${order.side}`,
      field: 'side',
    }
  },
  standing(rule, facts) {
    const held = facts.account.book.positions.map((p) => (sign(p.quantity) > 0 ? 'buy' : 'sell'))
    return listOf([...new Set(held)], rule.sides)
  },
}
