/** A phase's rules sorted by what they do: asked at every evaluation point, made once. */
import type { Compare, Effect, Metric, Phase, Rule } from '../engine/types.ts'
import type { BookedFill, Facts, Measure, RuleKind } from './kind.ts'
import { kindOf, tableOrder } from './table.ts'

export interface Entry {
  rule: Rule
  /** place in the phase */
  index: number
  kind: RuleKind<Rule>
  effect: Effect
  /** rules whose words do not say one are reached at the limit */
  compare: Compare
}
export interface FloorEntry extends Entry {
  side: Measure['side']
  metric: Metric
}
export interface PhaseRules {
  all: readonly Entry[]
  /** limits kept as a floor, in table order, and as the phase lists them */
  floors: readonly FloorEntry[]
  listed: readonly FloorEntry[]
  /** limits that are measured at each point, in table order */
  measured: readonly Entry[]
  /** floors that follow a series, the day's highest equity, or every booking */
  series: readonly FloorEntry[]
  dayHigh: readonly FloorEntry[]
  booked: readonly FloorEntry[]
  warned: readonly FloorEntry[]
  gates: readonly Entry[]
  refusing: readonly Entry[]
  forbidding: readonly Entry[]
  clocks: readonly Entry[]
  counting: readonly Entry[]
  counters: readonly ((fill: BookedFill, facts: Facts) => void)[]
  countsTrades: boolean
}
const made = new WeakMap<Phase, PhaseRules>()

function countersOf(all: readonly Entry[]): PhaseRules['counters'] {
  const byKey = new Map(all.flatMap(({ kind, rule }) => kind.counter?.(rule) ?? []).map((c) => [c.key, c.count]))
  return [...byKey.values()]
}
function sort(phase: Phase): PhaseRules {
  const all = phase.rules.map((rule, index): Entry => {
    const compare = 'compare' in rule ? rule.compare : 'lte'
    return { rule, index, kind: kindOf(rule), effect: rule.effect, compare }
  })
  const inTableOrder = [...all].sort((a, b) => tableOrder(a.rule) - tableOrder(b.rule) || a.index - b.index)
  const floors = inTableOrder
    .filter(({ kind }) => kind.floor)
    .map((e): FloorEntry => ({ ...e, side: e.kind.side!, metric: e.kind.metric!(e.rule) }))
  return {
    all,
    floors,
    listed: [...floors].sort((a, b) => a.index - b.index),
    measured: inTableOrder.filter(({ kind, effect }) => kind.measure && effect !== 'gate'),
    series: floors.filter(({ kind, rule }) => kind.followsSeries?.(rule)),
    dayHigh: floors.filter(({ kind, rule }) => kind.followsDayHigh?.(rule)),
    booked: floors.filter(({ kind }) => kind.followsBalance),
    warned: floors.filter(({ kind }) => kind.start),
    gates: all.filter(({ kind, effect }) => kind.met && effect === 'gate'),
    refusing: inTableOrder.filter(({ kind }) => kind.refuse),
    forbidding: inTableOrder.filter(({ kind }) => kind.isForbidden),
    clocks: inTableOrder.filter(({ kind }) => kind.passDue),
    counting: all.filter(({ kind }) => kind.onFill),
    counters: countersOf(all),
    countsTrades: all.some(({ kind, rule }) => kind.countsTrades?.(rule)),
  }
}
export function phaseRules(phase: Phase): PhaseRules {
  let found = made.get(phase)
  if (!found) {
    found = sort(phase)
    made.set(phase, found)
  }
  return found
}
