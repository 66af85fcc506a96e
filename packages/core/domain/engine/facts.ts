/** What rules look at, and the floors that follow from it. */
import type { QuoteOf } from '../instruments/convert.ts'
import { type Dec, eq, gt, str, sub } from '../money/dec.ts'
import { type Facts, type Measure, metricOf, type Point } from '../rules/kind.ts'
import { type FloorEntry, type PhaseRules, phaseRules } from '../rules/phase-rules.ts'
import { kindOf } from '../rules/table.ts'
import type { Compiled } from './compile.ts'
import type { AccountState } from './state.ts'
import { own, type Turn, write } from './turn.ts'
import type { Rule } from './types.ts'
import { equityOf } from './valuation.ts'

export const rulesOf = (state: AccountState, compiled: Compiled): readonly Rule[] =>
  compiled.spec.phases[state.phase]!.rules
export const sortedRules = (state: AccountState, compiled: Compiled): PhaseRules =>
  phaseRules(compiled.spec.phases[state.phase]!)
/** Is this rule's floor held against its metric at this kind of point? */
export const isTested = (rule: Rule, point: Point): boolean => kindOf(rule).testedAt?.(rule, point) ?? false

export function factsOf(state: AccountState, compiled: Compiled, quoteOf: QuoteOf, at: number): Facts {
  return factsAt(state, compiled, equityOf(state.book, compiled, quoteOf), at)
}
/** Under an equity that is known. */
export const factsAt = (state: AccountState, compiled: Compiled, equity: Dec, at: number): Facts => ({
  initial: compiled.initial,
  balance: state.book.balance,
  equity,
  day: state.day!,
  flat: state.book.positions.length === 0 && state.orders.length === 0,
  at,
  account: state,
  compiled,
})

/** How far a value is from its limit: not negative while it is kept. */
export const gapOf = ({ value, limit, side }: Measure): Dec =>
  side === 'below' ? sub(value, limit) : sub(limit, value)
export const floorMeasure = ({ metric, side }: FloorEntry, floor: Dec, facts: Facts): Measure => ({
  metric,
  value: metricOf(metric, facts),
  limit: floor,
  side,
})

/** Distance to each limit: the lines that attribution compares. Keyed by the rule's index. */
export type Gaps = Map<number, Dec>
export function gapsOf(state: AccountState, compiled: Compiled, facts: Facts, quoteOf: QuoteOf): Gaps {
  const gaps: Gaps = new Map()
  const { floors, measured } = sortedRules(state, compiled)
  for (const entry of floors) {
    const floor = state.rules[entry.index]!.floor
    if (floor) gaps.set(entry.index, gapOf(floorMeasure(entry, floor, facts)))
  }
  for (const { kind, rule, index } of measured) {
    const measure = kind.measure!(rule, facts, state.rules[index]!, quoteOf)
    if (measure) gaps.set(index, gapOf(measure))
  }
  return gaps
}
/** The gaps of a state under given marks, computed when first asked for. */
export function gapsWith(state: AccountState, turn: Turn, quoteOf = turn.quoteOf): () => Gaps {
  let gaps: Gaps | undefined
  return () => {
    gaps ??= state.day
      ? gapsOf(state, turn.compiled, factsOf(state, turn.compiled, quoteOf, turn.at), quoteOf)
      : new Map<number, Dec>()
    return gaps
  }
}

/** Sets the floors under these facts; `changed` hears of each that moved. */
export function setFloors(
  turn: Turn,
  facts: Facts,
  changed: (rule: Rule, index: number, floor: Dec | null) => void,
  entries = sortedRules(turn.state, turn.compiled).listed,
): void {
  for (const { kind, rule, index } of entries) {
    const floor = kind.floor!(rule, facts, turn.state.rules[index]!)
    const before = turn.state.rules[index]!.floor
    if (before && floor ? eq(before, floor) : before === floor) continue
    own(turn).rules[index]!.floor = floor
    changed(rule, index, floor)
  }
}
export const writeFloor =
  (turn: Turn) =>
  (rule: Rule, index: number, floor: Dec | null): void => {
    if (floor) write(turn, { kind: 'floor', phase: turn.state.phase, rule: rule.rule, index, floor: str(floor) })
  }

const standing = (entry: FloorEntry, facts: Facts): Dec => facts.account.rules[entry.index]!.high ?? facts.initial
/** Which high-water marks these facts raise; null: none. */
export function highsRaised(facts: Facts): FloorEntry[] | null {
  const { series, dayHigh } = sortedRules(facts.account, facts.compiled)
  let raised: FloorEntry[] | null = null
  for (const entry of series) {
    if (!gt(entry.kind.series!(entry.rule, facts), standing(entry, facts))) continue
    raised ??= []
    raised.push(entry)
  }
  if (dayHigh.length > 0 && gt(facts.equity, facts.day.high)) raised = [...(raised ?? []), ...dayHigh]
  return raised
}
/** Raises the marks of `account`, which may change, and gives the facts as they are then. */
export function raise(facts: Facts, raised: readonly FloorEntry[]): Facts {
  const { account } = facts
  for (const { kind, rule, index } of raised) {
    if (kind.followsSeries?.(rule)) account.rules[index]!.high = kind.series!(rule, facts)
    else if (gt(facts.equity, account.day!.high)) account.day!.high = facts.equity
  }
  return { ...facts, day: account.day! }
}

/**
 * The state after its equity has been as high as `equity` while nothing was booked: high-water marks and the floors
 * that hang on them. Exact and idempotent: the highest equity of a stretch gives what each of its points would.
 */
export function raiseHighs(
  state: AccountState,
  compiled: Compiled,
  equity: Dec,
  moved: (rule: Rule, index: number, floor: Dec) => void = () => {},
): AccountState {
  if (!state.day) return state
  const raised = highsRaised(factsAt(state, compiled, equity, state.mts))
  if (!raised) return state
  const after = { ...state, day: { ...state.day }, rules: state.rules.map((r) => ({ ...r })) }
  const facts = raise(factsAt(after, compiled, equity, state.mts), raised)
  for (const { kind, rule, index } of raised) {
    const floor = kind.floor!(rule, facts, after.rules[index]!)
    const own = after.rules[index]!
    if (!floor || (own.floor && eq(own.floor, floor))) continue
    own.floor = floor
    moved(rule, index, floor)
  }
  return after
}
