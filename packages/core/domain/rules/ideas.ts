/** Trades of one symbol and direction that overlap, or follow within a time: one idea. */
import type { Idea } from '../engine/state.ts'
import { add, isZero, ZERO } from '../money/dec.ts'
import type { BookedFill, Facts } from './kind.ts'

export function countIdea(withinS: number, fill: BookedFill, facts: Facts): void {
  const { trades } = facts.account
  const of = (side: Idea['side']): Idea | undefined =>
    trades.ideas.find((i) => i.withinS === withinS && i.symbol === fill.symbol && i.side === side)
  const closed = fill.closes ? of(fill.side === 'buy' ? 'sell' : 'buy') : undefined
  if (closed) {
    closed.realised = add(closed.realised, fill.net)
    if (fill.endsSide) closed.flatSince = facts.at
  }
  if (isZero(fill.opened)) return
  // the one fee of a reversal was counted with what it closed
  const cost = fill.closes ? ZERO : fill.net
  const running = of(fill.side)
  if (running && (running.flatSince === null || facts.at - running.flatSince <= withinS * 1000)) {
    running.realised = add(running.realised, cost)
    running.flatSince = null
    return
  }
  if (running) trades.ideas.splice(trades.ideas.indexOf(running), 1)
  trades.ideas.push({ withinS, symbol: fill.symbol, side: fill.side, realised: cost, flatSince: null })
}
