import { gt, str } from '../money/dec.ts'
import { type Facts, metricOf, type Point } from '../rules/kind.ts'
import { kindOf } from '../rules/table.ts'
import { attribute, type Breach, type Crossed, inTableOrder, isCrossed, marksOf } from './breach.ts'
import { factsOf, type Gaps, isLoss, isTested, rulesOf, setFloors } from './facts.ts'
import { endPhase, failPhase } from './phases.ts'
import { beginProvisional } from './provisional.ts'
import { own, type Turn, write } from './turn.ts'

/** Raises the day's high where a floor hangs on it; gives the facts with the day as it is now. */
function ratchet(turn: Turn, facts: Facts): Facts {
  if (!gt(facts.equity, facts.day.high)) return facts
  if (!rulesOf(turn.state, turn.compiled).some((r) => r.rule === 'max_daily_loss' && r.anchor === 'day_high'))
    return facts
  const day = own(turn).day!
  day.high = facts.equity
  const raised = { ...facts, day }
  setFloors(turn, raised, (rule, index, floor) => {
    turn.notes.push({ rule: rule.rule, index, mts: turn.at, mseq: turn.view.mseq, floor: str(floor) })
  })
  return raised
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
  if (turn.state.status !== 'started') return
  const now = factsOf(turn.state, turn.compiled, turn.quoteOf, turn.at)
  const facts = point === 'every' ? ratchet(turn, now) : now
  // what a breach in doubt decides is its own instant; marks that are valid still make the day's high
  if (turn.state.provisional) return
  const crossed = crossedLimits(turn, facts, point)
  if (crossed.length > 0) {
    own(turn)
    const breach: Breach = { crossed, attributed: attribute(crossed, before()), facts, marks: marksOf(turn) }
    if (!beginProvisional(turn, breach, { point, before: before() })) failPhase(turn, breach)
    return
  }
  if (point === 'every') evaluateGates(turn, facts)
}

function evaluateGates(turn: Turn, facts: Facts): void {
  const { compiled } = turn
  const { phase } = turn.state
  let open = compiled.spec.phases[phase]!.kind === 'evaluation'
  let gates = 0
  rulesOf(turn.state, compiled).forEach((rule, index) => {
    const kind = kindOf(rule)
    if (!kind.met) return
    gates += 1
    const met = kind.met(rule, facts, turn.state.rules[index]!)
    if (rule.rule === 'profit_target') {
      if (met && turn.state.rules[index]!.reachedAt === null) {
        own(turn).rules[index]!.reachedAt = turn.at
        write(turn, {
          kind: 'target',
          phase,
          index,
          reached: true,
          value: str(rule.basis === 'equity' ? facts.equity : facts.balance),
        })
      }
      open &&= rule.sticky ? turn.state.rules[index]!.reachedAt !== null : met
    } else open &&= met
  })
  if (!open || gates === 0) return
  own(turn)
  endPhase(turn, 'passed', { rule: null, value: null, limit: null, equity: facts.equity })
}
