/** What time alone decides: deadlines up to an event, instant by instant, with the marks before it. */
import { str, ZERO } from '../money/dec.ts'
import type { Due } from '../rules/kind.ts'
import type { Entry } from '../rules/phase-rules.ts'
import { kindOf } from '../rules/table.ts'
import { localDate, nextReset } from '../time/zone.ts'
import { bookCarry, carryDeadline } from './carry.ts'
import { evaluate, expire } from './evaluate.ts'
import { factsOf, type Gaps, gapsWith, rulesOf, setFloors, sortedRules, writeFloor } from './facts.ts'
import { closeOut, unlock } from './lock.ts'
import { arriveOrders } from './orders/arrive.ts'
import { expireOrders, orderDeadline } from './orders/expire.ts'
import { pauseEnd, resume } from './pause.ts'
import { cancelSome } from './phases.ts'
import { HOUR, stateHash } from './settle.ts'
import { type AccountState, isExposed, isRunning } from './state.ts'
import { type Turn, write } from './turn.ts'

const earlier = (a: number | null, b: number | null): number | null => (a === null || (b !== null && b < a) ? b : a)

/** When a rule's own clock decides something; those that stand still while paused are left out then. */
function ruleDeadline(state: AccountState): number | null {
  let first: number | null = null
  for (const { due } of state.rules) first = earlier(first, due)
  return first
}
/** The next deadline that is neither a reset nor a checkpoint; null: there is none. */
export function nextOther(state: AccountState): number | null {
  if (!isRunning(state)) return null
  return earlier(earlier(state.carryAt, orderDeadline(state)), earlier(ruleDeadline(state), pauseEnd(state)))
}
/** When time alone changes something next; null: never. */
export function nextDeadline(state: AccountState): number | null {
  if (!isRunning(state)) return state.checkpoint
  return earlier(earlier(state.day!.next, state.checkpoint), nextOther(state))
}

/** Checkpoints and carry follow what is held; `turn.at` is the last instant that was decided. */
export function followExposure(turn: Turn): void {
  const s = turn.state
  if (!isExposed(s)) s.checkpoint = null
  else s.checkpoint ??= Math.floor(turn.at / HOUR) * HOUR + HOUR
  if (turn.owned) s.carryAt = isRunning(s) ? carryDeadline(s, turn.compiled, { mts: turn.at }) : null
}

export function passDeadlines(turn: Turn, mts: number): void {
  for (let due = nextDeadline(turn.state); due !== null && due <= mts; due = nextDeadline(turn.state)) {
    turn.at = due
    if (isRunning(turn.state)) passInstant(turn, due)
    followExposure(turn)
    if (turn.state.checkpoint === due) {
      turn.state.checkpoint += HOUR
      write(turn, { kind: 'checkpoint', state_hash: stateHash(turn.state, turn.compiled.hash) })
    }
  }
}

/** Gaps of the state as it stands before what follows changes it. */
function standing(turn: Turn): () => Gaps {
  const { state } = turn
  return gapsWith(
    {
      ...state,
      book: { ...state.book, positions: state.book.positions.map((p) => ({ ...p })) },
      rules: state.rules.map((r) => ({ ...r })),
      trades: { ...state.trades, ideas: state.trades.ideas.map((i) => ({ ...i })) },
    },
    turn,
  )
}

/** Everything of one instant in its order (trading.md, Fills). */
function passInstant(turn: Turn, due: number): void {
  const resets = turn.state.day!.next === due
  const before = standing(turn)
  const written = turn.records.length
  if (turn.state.carryAt === due) bookCarry(turn)
  expireOrders(turn)
  const flattened = passClocks(turn, 'flat', before)
  if (!resets && turn.records.length > written) evaluate(turn, 'every', before)
  if (resets && isDue(turn)) passReset(turn, flattened ? standing(turn) : before)
  passClocks(turn, 'rest', gapsWith(turn.state, turn))
  if (isRunning(turn.state) && pauseEnd(turn.state) === due) {
    const resting = standing(turn)
    resume(turn, 'max_pause_days')
    evaluate(turn, 'every', resting)
  }
  if (isRunning(turn.state) && turn.state.orders.some((o) => o.arrivesAt !== null && o.arrivesAt <= due)) {
    const resting = standing(turn)
    arriveOrders(turn)
    evaluate(turn, 'every', resting)
  }
}
const isDue = ({ state, at }: Turn): boolean => isRunning(state) && state.day!.next === at

/** Clocks of rules: cut-offs go before a reset, all others after it. True when something was flattened. */
function passClocks(turn: Turn, which: 'flat' | 'rest', before: () => Gaps): boolean {
  if (!isRunning(turn.state)) return false
  const { phase } = turn.state
  const passed: { entry: Entry; due: Due }[] = []
  for (const entry of sortedRules(turn.state, turn.compiled).clocks) {
    const { kind, rule, index } = entry
    const state = turn.state.rules[index]!
    if (state.due !== turn.at || (kind.flattens === true) !== (which === 'flat')) continue
    const due = kind.passDue!(rule, factsOf(turn.state, turn.compiled, turn.quoteOf, turn.at), state)
    if (due.found) turn.acts.push({ ...due.found, entry, atOnce: true })
    passed.push({ entry, due })
  }
  if (turn.acts.length > 0) evaluate(turn, 'every', before)
  for (const { entry, due } of passed) {
    if (!isRunning(turn.state) || turn.state.phase !== phase) return true
    if (due.expires) expire(turn, entry.index)
    if (due.flatten) flatten(turn, due.flatten)
  }
  return passed.some(({ due }) => due.flatten)
}
/** Ends exposure in the symbols of a cut-off. */
function flatten(turn: Turn, which: (symbol: string) => boolean): void {
  const before = standing(turn)
  const written = turn.records.length
  cancelSome(turn, (order) => which(order.symbol), 'flat')
  closeOut(turn, which, 'flat')
  if (turn.records.length > written) evaluate(turn, 'every', before)
}

/** The reset that ends a day: compare what is tested at reset, snapshot, new floors, compare. */
function passReset(turn: Turn, before: () => Gaps): void {
  const { state, compiled } = turn
  evaluate(turn, 'reset', before)
  if (!isDue(turn)) return
  const facts = factsOf(state, compiled, turn.quoteOf, turn.at)
  for (const { kind, rule, index } of sortedRules(state, compiled).all) {
    kind.endDay?.(rule, facts, state.rules[index]!)
    // an allowance of the day begins anew, one of the phase goes on
    if (kind.anchor || kind.followsBalance) state.rules[index]!.warned = 0
  }
  state.day = {
    k: state.day!.k + 1,
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
  unlock(turn)
  evaluate(turn, 'every', before)
}
