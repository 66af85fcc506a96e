import { gt, str } from '../money/dec.ts'
import { type Facts, metricOf, type Point } from '../rules/kind.ts'
import { kindOf } from '../rules/table.ts'
import { attribute, type Breach, type Crossed, inTableOrder, isCrossed, marksOf } from './breach.ts'
import { factsOf, type Gaps, isLoss, isTested, rulesOf, setFloors } from './facts.ts'
import { endPhase, failPhase } from './phases.ts'
import { beginProvisional } from './provisional.ts'
import { type Turn, write } from './turn.ts'

function ratchet(turn: Turn, facts: Facts): void {
  const day = turn.state.day!
  if (!gt(facts.equity, day.high)) return
  if (!rulesOf(turn.state, turn.compiled).some((r) => r.rule === 'max_daily_loss' && r.anchor === 'day_high')) return
  day.high = facts.equity
  setFloors(turn, facts, (rule, index, floor) => {
    turn.notes.push({ rule: rule.rule, index, mts: turn.at, mseq: turn.view.mseq, floor: str(floor) })
  })
}

/** Every limit that is crossed among the rules tested at this kind of point, in table order. */
function crossedLimits(turn: Turn, facts: Facts, point: Point): Crossed[] {
  const crossed: Crossed[] = []
  rulesOf(turn.state, turn.compiled).forEach((rule, index) => {
    const floor = turn.state.rules[index]!.floor
    if (!isLoss(rule) || !floor || !isTested(rule, point)) return
    const value = metricOf(rule.metric, facts)
    if (isCrossed(rule, value, floor)) crossed.push({ rule, index, value, floor })
  })
  return crossed.sort(inTableOrder)
}

/**
 * One evaluation point: ratchet floors, compare, at most one violation; without one, targets and gates.
 * `before` gives metric less floor of each rule before the point and is asked for only when a limit was crossed.
 */
export function evaluate(turn: Turn, point: Point, before: () => Gaps): void {
  const { state, compiled } = turn
  if (state.status !== 'started' || state.provisional) return
  const facts = factsOf(state, compiled, turn.quoteOf, turn.at)
  if (point === 'every') ratchet(turn, facts)
  const crossed = crossedLimits(turn, facts, point)
  if (crossed.length > 0) {
    const breach: Breach = { crossed, attributed: attribute(crossed, before()), facts, marks: marksOf(turn) }
    if (!beginProvisional(turn, breach, { point, before: before() })) failPhase(turn, breach)
    return
  }
  if (point === 'every') evaluateGates(turn, facts)
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
        write(turn, {
          kind: 'target',
          phase: state.phase,
          index,
          reached: true,
          value: str(rule.basis === 'equity' ? facts.equity : facts.balance),
        })
      }
      open &&= rule.sticky ? own.reachedAt !== null : met
    } else open &&= met
  })
  if (open && gates > 0) endPhase(turn, 'passed', { rule: null, value: null, limit: null, equity: facts.equity })
}
