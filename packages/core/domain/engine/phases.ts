/** Phases: opening one, ending one, and closing what an ended one still holds. */

import { isSessionOpen } from '../calendars/sessions.ts'
import { transfer } from '../ledger/book-fill.ts'
import { marketable } from '../matching/marketable.ts'
import { abs, type Dec, sign, str, ZERO } from '../money/dec.ts'
import { nextReset } from '../time/zone.ts'
import { type Breach, writeViolation } from './breach.ts'
import { factsOf, rulesOf, setFloors, sortedRules, writeFloor } from './facts.ts'
import { type Book, newRuleState, newTrades, type Order, type Position } from './state.ts'
import { type Turn, takeDepth, write } from './turn.ts'

/** Cancels every working order, in order of arrival. */
export const cancelWorking = (turn: Turn, reason: string): void => cancelSome(turn, () => true, reason)
export function cancelSome(turn: Turn, which: (order: Order) => boolean, reason: string): void {
  const gone = turn.state.orders.filter(which)
  for (const order of gone) {
    write(turn, {
      kind: 'order',
      phase: turn.state.phase,
      order: order.id,
      status: 'cancelled',
      filled: str(order.filled),
      reason,
    })
  }
  turn.state.orders = turn.state.orders.filter((order) => !gone.includes(order))
}

/** Opens the phase `index` with a fresh account; its day 0 begins now. */
export function openPhase(turn: Turn, index: number): void {
  const { state, compiled } = turn
  const { initial } = compiled
  state.phase = index
  state.book = { phase: index, balance: initial, positions: [], taken: [] }
  state.orders = []
  state.provisional = null
  state.day = {
    k: 0,
    start: turn.at,
    next: nextReset(compiled.zone, compiled.resetMinutes, turn.at),
    balance: initial,
    equity: initial,
    high: initial,
    opened: false,
    openedAndClosed: false,
    orders: 0,
    gross: ZERO,
  }
  state.rules = rulesOf(state, compiled).map(newRuleState)
  state.trades = newTrades()
  state.lock = null
  state.liquidations = []
  state.carryAt = null
  write(turn, {
    kind: 'phase',
    phase: index,
    status: 'opened',
    balance: str(initial),
    postings: transfer(initial, 'capital'),
  })
  const facts = factsOf(state, compiled, turn.quoteOf, turn.at)
  for (const { kind, rule, index } of sortedRules(state, compiled).all) kind.open?.(rule, facts, state.rules[index]!)
  setFloors(turn, facts, writeFloor(turn))
}

export interface Ending {
  rule: string | null
  value: string | null
  limit: string | null
  equity: Dec
  dated?: { mts: number; mseq: number }
}
/**
 * Passed, failed, expired and abandoned end alike, at the same point: the verdict is written with the equity that decided,
 * working orders are cancelled, positions closed at once like market orders; what has no depth is closed at the first
 * events that allow it. A passed phase that is not the last opens the next one at the same point.
 */
export function endPhase(turn: Turn, outcome: 'passed' | 'failed' | 'expired' | 'abandoned', ending: Ending): void {
  const { state, compiled } = turn
  const { phases } = compiled.spec
  const ended = state.phase
  const next = outcome === 'passed' ? phases[ended + 1] : undefined
  if (next?.kind !== 'evaluation') {
    const record = write(turn, {
      kind: 'verdict',
      verdict: outcome,
      phase: ended,
      rule: ending.rule,
      value: ending.value,
      limit: ending.limit,
      balance: str(state.book.balance),
      equity: str(ending.equity),
      log_head: turn.view.logHead,
      synthetic: state.synthetic,
      ...(ending.dated ? { dated: ending.dated } : {}),
    })
    state.unsealed.push({ aseq: record.aseq, mseq: record.mseq })
  }
  cancelWorking(turn, outcome === 'abandoned' ? 'abandoned' : `phase_${outcome}`)
  const book = state.book
  closeBook(turn, book)
  if (outcome !== 'abandoned')
    write(turn, { kind: 'phase', phase: ended, status: outcome, balance: str(book.balance), postings: [] })
  if (book.positions.length > 0) {
    state.closing.push(book)
    state.book = { phase: ended, balance: book.balance, positions: [], taken: [] }
  }
  if (next) openPhase(turn, ended + 1)
  else {
    state.status = outcome
    state.day = null
    state.provisional = null
    state.lock = null
    state.liquidations = []
    state.carryAt = null
  }
}

/** A hard breach: the violation, then the phase's end. */
export function failPhase(turn: Turn, breach: Breach): void {
  writeViolation(turn, breach, false)
  const { attributed: a } = breach
  endPhase(turn, 'failed', {
    rule: a.entry.rule.rule,
    value: str(a.value),
    limit: str(a.limit),
    equity: breach.facts.equity,
    dated: breach.dated,
  })
}

/** Closes what the market allows now, symbol by symbol; the rest stays for later events. */
export function closeBook(turn: Turn, book: Book, only?: string): void {
  for (const p of [...book.positions].sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0))) {
    if (only !== undefined && p.symbol !== only) continue
    if (turn.view.symbol(p.symbol)?.status !== 'open') continue
    if (isSessionOpen(turn.compiled.markets.get(p.symbol)!, turn.at)) closePosition(turn, book, p, 'close')
  }
}
/** One position like a market order, as far as there is depth. */
export function closePosition(turn: Turn, book: Book, position: Position, order: string): void {
  const market = turn.compiled.markets.get(position.symbol)!
  const side = sign(position.quantity) > 0 ? 'sell' : 'buy'
  const view = turn.view.symbol(position.symbol)!
  const executions = marketable(side, abs(position.quantity), null, view, book, market)
  takeDepth(turn, book, market, order, side, executions, position.id)
}
