/** What time alone decides: deadlines up to an event, instant by instant, with the marks before it. */
import { str, ZERO } from '../money/dec.ts'
import { kindOf } from '../rules/table.ts'
import { localDate, nextReset } from '../time/zone.ts'
import { evaluate } from './evaluate.ts'
import { factsOf, gapsWith, rulesOf, setFloors, writeFloor } from './facts.ts'
import { HOUR, stateHash } from './settle.ts'
import { type AccountState, isExposed, isRunning } from './state.ts'
import { type Turn, write } from './turn.ts'

/** When time alone changes something next: the day's reset, an hourly checkpoint; null: never. */
export function nextDeadline(state: AccountState): number | null {
  const reset = isRunning(state) ? state.day!.next : null
  if (reset === null || state.checkpoint === null) return reset ?? state.checkpoint
  return Math.min(reset, state.checkpoint)
}

export function followExposure(turn: Turn): void {
  const s = turn.state
  if (!isExposed(s)) s.checkpoint = null
  else s.checkpoint ??= Math.floor(turn.at / HOUR) * HOUR + HOUR
}

export function passDeadlines(turn: Turn, mts: number): void {
  for (let due = nextDeadline(turn.state); due !== null && due <= mts; due = nextDeadline(turn.state)) {
    turn.at = due
    if (turn.state.day?.next === due) passReset(turn)
    followExposure(turn)
    if (turn.state.checkpoint === due) {
      turn.state.checkpoint += HOUR
      write(turn, { kind: 'checkpoint', state_hash: stateHash(turn.state, turn.compiled.hash) })
    }
  }
  turn.at = turn.view.mts
}

/** The reset that ends a day: compare what is tested at reset, snapshot, new floors, compare. */
function passReset(turn: Turn): void {
  const { state, compiled } = turn
  // floors change below, the lines that a breach is attributed by start at the old ones
  const before = gapsWith({ ...state, rules: state.rules.map((r) => ({ ...r })) }, turn)
  evaluate(turn, 'reset', before)
  if (!isRunning(state) || !state.day) return
  if (state.day.next !== turn.at) return
  const facts = factsOf(state, compiled, turn.quoteOf, turn.at)
  rulesOf(state, compiled).forEach((rule, i) => {
    kindOf(rule).endDay?.(rule, facts, state.rules[i]!)
  })
  state.day = {
    k: state.day.k + 1,
    start: turn.at,
    next: nextReset(compiled.zone, compiled.resetMinutes, turn.at),
    balance: facts.balance,
    equity: facts.equity,
    high: facts.equity,
    opened: false,
    openedAndClosed: false,
    orders: 0,
    gross: ZERO,
  }
  const fresh = { ...facts, day: state.day }
  const anchors: Record<string, string> = {}
  rulesOf(state, compiled).forEach((rule, i) => {
    const anchor = kindOf(rule).anchor?.(rule, fresh)
    if (anchor) anchors[String(i)] = str(anchor)
  })
  write(turn, {
    kind: 'day',
    phase: state.phase,
    day: localDate(compiled.zone, turn.at),
    k: state.day.k,
    balance: str(facts.balance),
    equity: str(facts.equity),
    anchors,
    log_head: turn.view.logHead,
  })
  setFloors(turn, fresh, writeFloor(turn))
  evaluate(turn, 'every', before)
}
