/** What rules look at, and the floors that follow from it. */
import type { QuoteOf } from '../instruments/convert.ts'
import { type Dec, eq, str, sub } from '../money/dec.ts'
import { type Facts, metricOf, type Point, type RuleKind } from '../rules/kind.ts'
import { kindOf } from '../rules/table.ts'
import type { Compiled } from './compile.ts'
import type { AccountState } from './state.ts'
import { type Turn, write } from './turn.ts'
import type { MaxDailyLossRule, MaxLossRule, Rule } from './types.ts'
import { equityOf } from './valuation.ts'

export const rulesOf = (state: AccountState, compiled: Compiled): readonly Rule[] =>
  compiled.spec.phases[state.phase]!.rules
export type LossRule = MaxDailyLossRule | MaxLossRule
/** Is this rule's floor held against its metric at this kind of point? */
export const isTested = (rule: Rule, point: Point): boolean => kindOf(rule).testedAt?.(rule, point) ?? false
export const isLoss = (rule: Rule): rule is LossRule => rule.rule === 'max_daily_loss' || rule.rule === 'max_loss'

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
    const floor = kind.floor(rule, facts, turn.state.rules[i]!)
    const state = turn.state.rules[i]!
    if (state.floor && eq(state.floor, floor)) return
    state.floor = floor
    changed(rule, i, floor)
  })
}
export const writeFloor =
  (turn: Turn) =>
  (rule: Rule, index: number, floor: Dec): void => {
    write(turn, { kind: 'floor', phase: turn.state.phase, rule: rule.rule, index, floor: str(floor) })
  }

/** The gaps of a state under given marks, computed when first asked for. */
export function gapsWith(state: AccountState, turn: Turn, quoteOf = turn.quoteOf): () => Gaps {
  let gaps: Gaps | undefined
  return () => {
    gaps ??= state.day ? gapsOf(state, turn.compiled, factsOf(state, turn.compiled, quoteOf, turn.at)) : new Map()
    return gaps
  }
}
