import type { AllowedSymbolsRule } from '../engine/types.ts'
import type { RuleKind } from './kind.ts'
import { listOf } from './standing.ts'

export const allowedSymbols: RuleKind<AllowedSymbolsRule> = {
  refuse(rule, { order }) {
    if (rule.symbols.includes(order.symbol)) return null
    return { detail: `only ${rule.symbols.join(', ')}; this order is in ${order.symbol}`, field: 'symbol' }
  },
  standing: (rule, facts) => listOf([...new Set(facts.account.book.positions.map((p) => p.symbol))], rule.symbols),
}
