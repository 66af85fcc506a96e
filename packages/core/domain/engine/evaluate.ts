import { add, str } from '../money/dec.ts'
import { type Facts, isPast, metricOf, type Point } from '../rules/kind.ts'
import { madeOf } from '../rules/profit-target.ts'
import { attribute, type Breach, type Crossed, inTableOrder, isSaid, marksOf } from './breach.ts'
import {
  factsOf,
  floorMeasure,
  type Gaps,
  gapsWith,
  highsRaised,
  raise,
  rulesOf,
  setFloors,
  sortedRules,
} from './facts.ts'
import { resolve } from './lock.ts'
import { cancelIdle } from './orders/reducing.ts'
import { endPhase } from './phases.ts'
import { beginProvisional, type Found, isInDoubt, keepDeeper, restsOnMarks } from './provisional.ts'
import { copyState, isRunning } from './state.ts'
import { isCalled, stopOut } from './stop-out.ts'
import { own, type Turn, write } from './turn.ts'
import { writeWarnings } from './warnings.ts'

/** Raises high-water marks and the floors that hang on them, and follows the balance where a floor does. */
function ratchet(turn: Turn, now: Facts): Facts {
  const { booked } = sortedRules(turn.state, turn.compiled)
  const raised = highsRaised(now)
  const facts = raised ? raise({ ...now, account: own(turn) }, raised) : now
  const moving = raised ? [...raised, ...booked] : booked
  if (moving.length === 0) return facts
  setFloors(
    turn,
    facts,
    (rule, index, floor) => {
      if (floor) turn.notes.push({ rule: rule.rule, index, mts: turn.at, mseq: turn.view.mseq, floor: str(floor) })
    },
    moving,
  )
  return facts.account === turn.state ? facts : { ...facts, account: turn.state }
}

/** Every limit that is crossed among the rules tested at this kind of point, in table order, and the acts of the point. */
function crossedLimits(turn: Turn, facts: Facts, point: Point): Crossed[] {
  const crossed = turn.acts
  turn.acts = []
  const { floors, measured } = sortedRules(turn.state, turn.compiled)
  for (const entry of floors) {
    const floor = turn.state.rules[entry.index]!.floor
    if (!floor || !entry.kind.testedAt!(entry.rule, point)) continue
    const value = metricOf(entry.metric, facts)
    if (isPast({ value, limit: floor, side: entry.side }, entry.compare))
      crossed.push({ ...floorMeasure(entry, floor, facts), entry })
  }
  if (point === 'every') {
    for (const entry of measured) {
      const measure = entry.kind.measure!(entry.rule, facts, turn.state.rules[entry.index]!, turn.quoteOf)
      if (measure && isPast(measure, entry.compare)) crossed.push({ ...measure, entry })
    }
  }
  return crossed.length > 1 ? crossed.sort(inTableOrder) : crossed
}
/**
 * One evaluation point: ratchet floors, compare, at most one violation; without a breach, targets and gates.
 * `before` gives the distance to each limit before the point and is asked for only when one was crossed.
 */
export function evaluate(turn: Turn, point: Point, before: () => Gaps): void {
  if (!isRunning(turn.state)) return
  const now = factsOf(turn.state, turn.compiled, turn.quoteOf, turn.at)
  turn.valued = { equity: now.equity, records: turn.records.length }
  const facts = point === 'every' ? ratchet(turn, now) : now
  // what a breach in doubt decides is its own instant; marks that are valid still make the day's high
  if (point === 'every' && !turn.state.provisional) writeWarnings(turn, facts)
  const crossed = crossedLimits(turn, facts, point)
  if (crossed.length > 0 && judge(turn, crossed, { point, before, facts })) return
  if (point !== 'every' || turn.state.provisional) return
  if (callMargin(turn)) return
  evaluateGates(turn, facts)
}
/** Rules go before a margin call; after its fills they are compared again. */
function callMargin(turn: Turn): boolean {
  if (!isCalled(turn)) return false
  const { state } = turn
  const before = gapsWith(turn.owned ? copyState(state) : state, turn)
  if (!stopOut(turn)) return false
  cancelIdle(turn)
  evaluate(turn, 'every', before)
  return true
}

interface At {
  point: Point
  before: () => Gaps
  facts: Facts
}
/** True when nothing more is decided at this point: gates stay as they are behind a breach, not behind a flag. */
function judge(turn: Turn, all: Crossed[], at: At): boolean {
  const crossed = all.filter((c) => !isSaid(turn, c))
  if (crossed.length === 0) return false
  if (!isInDoubt(turn, crossed)) return conclude(turn, crossed, at)
  const found: Found = { ...at, before: at.before() }
  const sure = crossed.filter((c) => !restsOnMarks(c))
  if (turn.state.provisional) {
    keepDeeper(turn, crossed.filter(restsOnMarks), found)
    return sure.length > 0 && conclude(turn, sure, at)
  }
  // what no mark can clear fails now
  const hard = sure.filter((c) => c.entry.effect === 'hard')
  if (hard.length > 0) return conclude(turn, hard, at)
  own(turn)
  beginProvisional(turn, crossed, found)
  return true
}
function conclude(turn: Turn, crossed: Crossed[], { before, facts }: At): boolean {
  const standing = copyState(own(turn))
  const breach: Breach = { crossed, attributed: attribute(crossed, before()), facts, marks: marksOf(turn) }
  const outcome = resolve(turn, breach, before())
  // what closes the account out are fills like any other; a target that they reach is noted
  if (outcome === 'locked') evaluate(turn, 'every', gapsWith(standing, turn))
  return outcome !== 'flagged'
}

/** Are all objectives and gates of an evaluation open? Notes when a target is first reached. */
function areGatesOpen(turn: Turn, facts: Facts): boolean {
  const { compiled } = turn
  const { phase } = turn.state
  const { gates } = sortedRules(turn.state, compiled)
  let open = compiled.spec.phases[phase]!.kind === 'evaluation' && gates.length > 0
  for (const { rule, index, kind } of gates) {
    const met = kind.met!(rule, facts, turn.state.rules[index]!)
    if (rule.rule !== 'profit_target') {
      open &&= met
      continue
    }
    if (met && turn.state.rules[index]!.reachedAt === null) {
      own(turn).rules[index]!.reachedAt = turn.at
      const value = str(add(facts.initial, madeOf(rule, facts)))
      write(turn, { kind: 'target', phase, index, reached: true, value })
    }
    open &&= rule.sticky ? turn.state.rules[index]!.reachedAt !== null : met
  }
  return open
}
function pass(turn: Turn, facts: Facts): void {
  own(turn)
  endPhase(turn, 'passed', { rule: null, value: null, limit: null, equity: facts.equity })
}
/** Nothing passes while the account is locked or the assessment paused. */
function evaluateGates(turn: Turn, facts: Facts): void {
  const open = areGatesOpen(turn, facts)
  if (open && turn.state.status === 'started' && !turn.state.lock) pass(turn, facts)
}

/** The time is over: what is open by then passes, else the phase is expired. */
export function expire(turn: Turn, index: number): void {
  if (turn.state.status !== 'started') return
  const { state, compiled } = turn
  const facts = factsOf(state, compiled, turn.quoteOf, turn.at)
  if (!state.provisional && areGatesOpen(turn, facts)) {
    pass(turn, facts)
    return
  }
  const rule = rulesOf(state, compiled)[index]!
  const days = rule.rule === 'time_limit' ? String(rule.days) : null
  endPhase(turn, 'expired', { rule: rule.rule, value: days, limit: days, equity: facts.equity })
}
