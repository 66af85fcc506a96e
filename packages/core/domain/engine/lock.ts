/** What a breach does: the phase fails, the account is closed out and locked until the next reset, or it is noted. */
import { isSessionOpen } from '../calendars/sessions.ts'
import { nextReset } from '../time/zone.ts'
import { attribute, type Breach, type Crossed, writeViolation } from './breach.ts'
import type { Gaps } from './facts.ts'
import { cancelWorking, closePosition, failPhase } from './phases.ts'
import type { Liquidation } from './state.ts'
import { own, type Turn, write } from './turn.ts'

export type Outcome = 'ended' | 'locked' | 'flagged'

export function resolve(turn: Turn, breach: Breach, before: Gaps): Outcome {
  if (breach.attributed.entry.effect === 'hard') {
    failPhase(turn, breach)
    return 'ended'
  }
  writeViolation(turn, breach, false)
  for (const { entry } of breach.crossed)
    if (entry.effect === 'flag') turn.state.rules[entry.index]!.saidOn = turn.state.day!.k
  const soft = breach.crossed.filter((c) => c.entry.effect === 'soft')
  if (soft.length === 0) return 'flagged'
  lockAccount(turn, attribute(soft, before))
  return 'locked'
}

function lockAccount(turn: Turn, { entry }: Crossed): void {
  const { state, compiled } = turn
  const { next } = state.day!
  const until = next > turn.at ? next : nextReset(compiled.zone, compiled.resetMinutes, turn.at)
  state.lock = { rule: entry.index, until }
  write(turn, { kind: 'lock', phase: state.phase, rule: entry.rule.rule, index: entry.index, until })
  cancelWorking(turn, 'account_locked')
  closeOut(turn, () => true, 'lock')
}
/** At the reset that ends a lock. */
export function unlock(turn: Turn): void {
  const { state } = turn
  if (!state.lock || state.lock.until > turn.at) return
  state.lock = null
  write(turn, { kind: 'lock', phase: state.phase, rule: null, index: null, until: null })
}

/** Closes positions at once like market orders; what has no depth now, at the first events that allow it. */
export function closeOut(turn: Turn, which: (symbol: string) => boolean, order: Liquidation['order']): void {
  const state = own(turn)
  for (const { id, symbol } of state.book.positions) {
    if (!which(symbol)) continue
    state.liquidations = [...state.liquidations.filter((l) => l.position !== id), { position: id, symbol, order }]
  }
  liquidate(turn)
}
/** Closes what a lock or a cut-off still has to close, of one symbol where one is named. */
export function liquidate(turn: Turn, only?: string): void {
  if (turn.state.liquidations.length === 0) return
  const state = own(turn)
  const inOrder = [...state.liquidations].sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0))
  for (const { position, symbol, order } of inOrder) {
    if (only !== undefined && symbol !== only) continue
    const held = state.book.positions.find((p) => p.id === position)
    const market = turn.compiled.markets.get(symbol)!
    if (held && turn.view.symbol(symbol)?.status === 'open' && isSessionOpen(market, turn.at))
      closePosition(turn, state.book, held, order)
  }
  state.liquidations = state.liquidations.filter((l) => state.book.positions.some((p) => p.id === l.position))
}
