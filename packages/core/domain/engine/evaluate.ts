import { type Facts, type RuleKind, kindOf, metricOf, tableOrder } from '../rules/table.ts'
import { type Dec, cmp, eq, gt, lt, lte, mul, sign, str, sub } from '../money/dec.ts'
import type { QuoteOf } from '../instruments/convert.ts'
import { endPhase } from './phases.ts'
import { beginProvisional } from './provisional.ts'
import type { AccountState } from './state.ts'
import { type Turn, write } from './turn.ts'
import type { Compiled } from './compile.ts'
import type { LimitState, Mark, MaxDailyLossRule, MaxLossRule, Rule } from './types.ts'
import { equityOf } from './valuation.ts'

export type LossRule = MaxDailyLossRule | MaxLossRule
export const rulesOf = (state: AccountState, compiled: Compiled): readonly Rule[] => compiled.spec.phases[state.phase]!.rules
const isLoss = (rule: Rule): rule is LossRule => rule.rule === 'max_daily_loss' || rule.rule === 'max_loss'

export function factsOf(state: AccountState, compiled: Compiled, quoteOf: QuoteOf, at: number): Facts {
  return {
    initial: compiled.initial,
    balance: state.book.balance,
    equity: equityOf(state.book, compiled, quoteOf),
    day: state.day!,
    flat: state.book.positions.length === 0 && state.orders.length === 0,
    at,
  }
}

/** Metric less floor of each rule with a floor: the lines that attribution compares. Keyed by the rule's index. */
export type Gaps = Map<number, Dec>
export function gapsOf(state: AccountState, compiled: Compiled, facts: Facts): Gaps {
  const gaps: Gaps = new Map()
  rulesOf(state, compiled).forEach((rule, i) => {
    const floor = state.rules[i]!.floor
    if (isLoss(rule) && floor) gaps.set(i, sub(metricOf(rule.metric, facts), floor))
  })
  return gaps
}

/** Sets the floors under these facts; `changed` hears of each that moved. */
export function setFloors(turn: Turn, facts: Facts, changed: (rule: Rule, index: number, floor: Dec) => void): void {
  rulesOf(turn.state, turn.compiled).forEach((rule, i) => {
    const kind: RuleKind<Rule> = kindOf(rule)
    if (!kind.floor) return
    const floor = kind.floor(rule, facts)
    const state = turn.state.rules[i]!
    if (state.floor && eq(state.floor, floor)) return
    state.floor = floor
    changed(rule, i, floor)
  })
}
export const writeFloor = (turn: Turn) => (rule: Rule, index: number, floor: Dec): void => {
  write(turn, { kind: 'floor', phase: turn.state.phase, rule: rule.rule, index, floor: str(floor) })
}

function ratchet(turn: Turn, facts: Facts): void {
  const day = turn.state.day!
  if (!gt(facts.equity, day.high)) return
  if (!rulesOf(turn.state, turn.compiled).some((r) => r.rule === 'max_daily_loss' && r.anchor === 'day_high')) return
  day.high = facts.equity
  setFloors(turn, facts, (rule, index, floor) => {
    turn.notes.push({ rule: rule.rule, index, mts: turn.at, mseq: turn.view.mseq, floor: str(floor) })
  })
}

export interface Crossed { rule: LossRule; index: number; value: Dec; floor: Dec }
export const isCrossed = (rule: LossRule, value: Dec, floor: Dec): boolean => (rule.compare === 'lt' ? lt(value, floor) : lte(value, floor))

/** Every limit that is crossed among the rules tested at this kind of point, in table order. */
function crossedLimits(turn: Turn, facts: Facts, which: 'every' | 'reset'): Crossed[] {
  const crossed: Crossed[] = []
  rulesOf(turn.state, turn.compiled).forEach((rule, index) => {
    const floor = turn.state.rules[index]!.floor
    if (!isLoss(rule) || !floor) return
    if (which === 'reset' ? !(rule.rule === 'max_daily_loss' && rule.tested === 'reset') : !kindOf(rule).testedAt!(rule, 'every')) return
    const value = metricOf(rule.metric, facts)
    if (isCrossed(rule, value, floor)) crossed.push({ rule, index, value, floor })
  })
  return crossed.sort((a, b) => tableOrder(a.rule) - tableOrder(b.rule) || a.index - b.index)
}

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

export const limitState = (c: Crossed): LimitState => ({
  rule: c.rule.rule, index: c.index, metric: c.rule.metric, value: str(c.value), limit: str(c.floor), compare: c.rule.compare,
})

/** The marks that valued the open positions, conversion symbols included. */
export function marksOf(turn: Turn): Mark[] {
  const symbols = new Set<string>()
  for (const p of turn.state.book.positions) {
    symbols.add(p.symbol)
    for (const leg of turn.compiled.markets.get(p.symbol)!.path!) if (!leg.peg) symbols.add(leg.symbol)
  }
  return [...symbols].sort().map((symbol) => {
    const view = turn.view.symbol(symbol)!
    const quote = view.quote!
    return { symbol, mseq: quote.mseq, bid: str(quote.bid.price), ask: str(quote.ask.price), state: view.status }
  })
}

export interface Breach { crossed: readonly Crossed[]; attributed: Crossed; facts: { balance: Dec; equity: Dec }; marks: Mark[]; dated?: { mts: number; mseq: number } }
export function writeViolation(turn: Turn, breach: Breach, provisional: boolean): void {
  const { attributed: a, crossed, facts } = breach
  write(turn, {
    kind: 'violation', phase: turn.state.phase, rule: a.rule.rule, index: a.index, effect: a.rule.effect, value: str(a.value), limit: str(a.floor),
    balance: str(facts.balance), equity: str(facts.equity),
    crossed: crossed.filter((c) => c !== a).map(limitState), provisional, marks: breach.marks,
    ...(breach.dated ? { dated: breach.dated } : {}),
  })
}
export function failPhase(turn: Turn, breach: Breach): void {
  writeViolation(turn, breach, false)
  const { attributed: a } = breach
  endPhase(turn, 'failed', { rule: a.rule.rule, value: str(a.value), limit: str(a.floor), equity: breach.facts.equity, dated: breach.dated })
}

/**
 * One evaluation point: ratchet floors, compare, at most one violation; without one, targets and gates.
 * `before` gives metric less floor of each rule before the point and is asked for only when a limit was crossed.
 */
export function evaluate(turn: Turn, which: 'every' | 'reset', before: () => Gaps): void {
  const { state, compiled } = turn
  if (state.status !== 'started' || state.provisional) return
  const facts = factsOf(state, compiled, turn.quoteOf, turn.at)
  if (which === 'every') ratchet(turn, facts)
  const crossed = crossedLimits(turn, facts, which)
  if (crossed.length > 0) {
    const breach: Breach = { crossed, attributed: attribute(crossed, before()), facts, marks: marksOf(turn) }
    if (!beginProvisional(turn, breach, before())) failPhase(turn, breach)
    return
  }
  if (which === 'every') evaluateGates(turn, facts)
}

function evaluateGates(turn: Turn, facts: Facts): void {
  const { state, compiled } = turn
  const rules = rulesOf(state, compiled)
  let open = compiled.spec.phases[state.phase]!.kind === 'evaluation'
  let gates = 0
  rules.forEach((rule, index) => {
    const kind = kindOf(rule)
    if (!kind.met) return
    gates += 1
    const own = state.rules[index]!
    const met = kind.met(rule, facts, own)
    if (rule.rule === 'profit_target') {
      if (met && own.reachedAt === null) {
        own.reachedAt = turn.at
        write(turn, { kind: 'target', phase: state.phase, index, reached: true, value: str(rule.basis === 'equity' ? facts.equity : facts.balance) })
      }
      open &&= rule.sticky ? own.reachedAt !== null : met
    } else open &&= met
  })
  if (open && gates > 0) endPhase(turn, 'passed', { rule: null, value: null, limit: null, equity: facts.equity })
}
