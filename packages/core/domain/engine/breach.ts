/** A limit that was crossed: which one is named, and what is written down about it. */
import { cmp, type Dec, mul, sign, str, sub } from '../money/dec.ts'
import { isPast, type Measure } from '../rules/kind.ts'
import type { Entry } from '../rules/phase-rules.ts'
import { tableOrder } from '../rules/table.ts'
import type { Compiled } from './compile.ts'
import { type Gaps, gapOf } from './facts.ts'
import type { AccountState } from './state.ts'
import { type Turn, write } from './turn.ts'
import type { Compare, LimitState, Mark } from './types.ts'

export interface Crossed extends Measure {
  entry: Entry
  /** it lay at its limit before: an act, or an instant, and no way of a price */
  atOnce?: boolean
}
/** A flag says it once a trading day, a soft breach locks once. */
export function isSaid({ state }: Turn, { entry }: Crossed): boolean {
  if (entry.effect === 'flag') return state.rules[entry.index]!.saidOn === state.day!.k
  return entry.effect === 'soft' && state.lock !== null
}
/** A floor under a value. */
export const isCrossed = (rule: { compare: Compare }, value: Dec, floor: Dec): boolean =>
  isPast({ value, limit: floor, side: 'below' }, rule.compare)

/** Ties are broken by the rule table, then by the place in the phase. */
export const inTableOrder = (a: Crossed, b: Crossed): number =>
  tableOrder(a.entry.rule) - tableOrder(b.entry.rule) || a.entry.index - b.entry.index

/**
 * The limit whose line (distance to it, from before the point to after it) reaches zero first; ties by table order.
 * With before >= 0 > after the share of the way is before / (before - after): compared by cross product. A hard one
 * goes before all others.
 */
export function attribute(crossed: readonly Crossed[], before: Gaps): Crossed {
  const line = (c: Crossed): { start: Dec; drop: Dec } => {
    const after = gapOf(c)
    // what is measured without a line before it begins at nothing: an idea that this point opens
    const start = c.atOnce ? null : (before.get(c.entry.index) ?? (c.entry.kind.measure ? c.limit : null))
    return !start || sign(start) <= 0
      ? { start: { n: 0n, s: 0 }, drop: { n: 1n, s: 0 } }
      : { start, drop: sub(start, after) }
  }
  const hard = crossed.filter((c) => c.entry.effect === 'hard')
  return (hard.length > 0 ? hard : crossed).reduce((best, c) => {
    const a = line(best)
    const b = line(c)
    return cmp(mul(b.start, a.drop), mul(a.start, b.drop)) < 0 ? c : best
  })
}

const limitState = (c: Crossed): LimitState => ({
  rule: c.entry.rule.rule,
  index: c.entry.index,
  metric: c.metric,
  value: str(c.value),
  limit: str(c.limit),
  compare: c.entry.compare,
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
    rule: a.entry.rule.rule,
    index: a.entry.index,
    effect: a.entry.effect,
    value: str(a.value),
    limit: str(a.limit),
    balance: str(facts.balance),
    equity: str(facts.equity),
    crossed: crossed.filter((c) => c !== a).map(limitState),
    provisional,
    marks: breach.marks,
    ...(breach.dated ? { dated: breach.dated } : {}),
  })
}
