/** A limit that was crossed: which one is named, and what is written down about it. */
import { cmp, type Dec, lt, lte, mul, sign, str, sub } from '../money/dec.ts'
import { tableOrder } from '../rules/table.ts'
import type { Compiled } from './compile.ts'
import type { Gaps, LossRule } from './facts.ts'
import type { AccountState } from './state.ts'
import { type Turn, write } from './turn.ts'
import type { LimitState, Mark } from './types.ts'

export interface Crossed {
  rule: LossRule
  index: number
  value: Dec
  floor: Dec
}
export const isCrossed = (rule: LossRule, value: Dec, floor: Dec): boolean =>
  rule.compare === 'lt' ? lt(value, floor) : lte(value, floor)

/** Ties are broken by the rule table, then by the place in the phase. */
export const inTableOrder = (a: Crossed, b: Crossed): number =>
  tableOrder(a.rule) - tableOrder(b.rule) || a.index - b.index

/**
 * The limit whose line (metric less floor, from before the point to after it) reaches zero first; ties by table
 * order. With before >= 0 > after the share of the way is before / (before - after): compared by cross product.
 */
export function attribute(crossed: readonly Crossed[], before: Gaps): Crossed {
  const line = (c: Crossed): { start: Dec; drop: Dec } => {
    const after = sub(c.value, c.floor)
    const start = before.get(c.index) ?? after
    return sign(start) <= 0 ? { start: { n: 0n, s: 0 }, drop: { n: 1n, s: 0 } } : { start, drop: sub(start, after) }
  }
  return crossed.reduce((best, c) => {
    const a = line(best)
    const b = line(c)
    return cmp(mul(b.start, a.drop), mul(a.start, b.drop)) < 0 ? c : best
  })
}

const limitState = (c: Crossed): LimitState => ({
  rule: c.rule.rule,
  index: c.index,
  metric: c.rule.metric,
  value: str(c.value),
  limit: str(c.floor),
  compare: c.rule.compare,
})

/** Symbols that value an account: positions' and those of their conversion paths. */
export function valuingSymbols(state: AccountState, compiled: Compiled): string[] {
  const symbols = new Set<string>()
  for (const p of state.book.positions) {
    symbols.add(p.symbol)
    for (const leg of compiled.markets.get(p.symbol)!.path!) if (!leg.peg) symbols.add(leg.symbol)
  }
  return [...symbols].sort()
}

/** Does the symbol value an account: a position's, or one of its conversion path? */
export const isValuedBy = (state: AccountState, compiled: Compiled, symbol: string): boolean =>
  state.book.positions.some(
    (p) =>
      p.symbol === symbol || compiled.markets.get(p.symbol)!.path!.some((leg) => !leg.peg && leg.symbol === symbol),
  )

/** The marks that valued the open positions, conversion symbols included. */
export function marksOf(turn: Turn): Mark[] {
  return valuingSymbols(turn.state, turn.compiled).map((symbol) => {
    const view = turn.view.symbol(symbol)!
    const quote = view.quote!
    return { symbol, mseq: quote.mseq, bid: str(quote.bid.price), ask: str(quote.ask.price), state: view.status }
  })
}

export interface Breach {
  crossed: readonly Crossed[]
  attributed: Crossed
  facts: { balance: Dec; equity: Dec }
  marks: Mark[]
  dated?: { mts: number; mseq: number }
}
export function writeViolation(turn: Turn, breach: Breach, provisional: boolean): void {
  const { attributed: a, crossed, facts } = breach
  write(turn, {
    kind: 'violation',
    phase: turn.state.phase,
    rule: a.rule.rule,
    index: a.index,
    effect: a.rule.effect,
    value: str(a.value),
    limit: str(a.floor),
    balance: str(facts.balance),
    equity: str(facts.equity),
    crossed: crossed.filter((c) => c !== a).map(limitState),
    provisional,
    marks: breach.marks,
    ...(breach.dated ? { dated: breach.dated } : {}),
  })
}
