/** What rules count of a fill, once it is booked. */
import type { FillEffect } from '../ledger/book-fill.ts'
import { abs, add, type Dec, dec, isZero, sign, ZERO } from '../money/dec.ts'
import type { BookedFill, EndedTrade, Facts } from '../rules/kind.ts'
import type { PhaseRules } from '../rules/phase-rules.ts'
import { factsAt, sortedRules } from './facts.ts'
import { noteTrade } from './order-rules.ts'
import type { AccountState, Position, Running } from './state.ts'
import type { Fill, Turn } from './turn.ts'

const bookedOf = (doc: FillEffect['fee']): Dec => (doc ? dec(doc.booked) : ZERO)

export function noteFill(turn: Turn, fill: Fill, effect: FillEffect, symbol: string): void {
  const { state } = turn
  const gross = bookedOf(effect.result)
  state.day!.gross = add(state.day!.gross, gross)
  state.trades.firstAt ??= turn.at
  state.trades.lastAt = turn.at
  const rules = sortedRules(state, turn.compiled)
  const opened = openedBy(fill, effect)
  noteTrade(turn, fill, symbol, { opens: !isZero(opened), closes: effect.result !== null })
  if (rules.counting.length === 0 && rules.counters.length === 0) return
  const booked: BookedFill = {
    order: fill.order,
    position: effect.position.id,
    symbol,
    side: fill.side,
    gross,
    net: add(gross, bookedOf(effect.fee)),
    opened,
    closes: effect.result !== null,
    endsSide: effect.result !== null && !holds(state, symbol, fill.side === 'buy' ? 'sell' : 'buy'),
    ended: null,
  }
  if (rules.countsTrades) booked.ended = followTrade(turn, booked, effect)
  // equity is not looked at by what counts
  count(rules, booked, factsAt(state, turn.compiled, ZERO, turn.at))
}
function count(rules: PhaseRules, booked: BookedFill, facts: Facts): void {
  if (booked.ended) facts.account.trades.closed += 1
  for (const { kind, rule, index } of rules.counting) kind.onFill!(rule, booked, facts, facts.account.rules[index]!)
  for (const counter of rules.counters) counter(booked, facts)
}

/** What the fill added to exposure: all of it, what a reversal went beyond, or nothing. */
function openedBy(fill: Fill, effect: FillEffect): Dec {
  if (effect.result === null) return fill.quantity
  const after = dec(effect.position.quantity)
  return !isZero(after) && sign(after) > 0 === (fill.side === 'buy') ? abs(after) : ZERO
}
const holds = (state: AccountState, symbol: string, side: 'buy' | 'sell'): boolean =>
  state.book.positions.some((p) => p.symbol === symbol && sign(p.quantity) > 0 === (side === 'buy'))

/** Adds a fill to the trade that it belongs to; gives the one that it ended. */
function followTrade(turn: Turn, booked: BookedFill, effect: FillEffect): EndedTrade | null {
  const { trades } = turn.state
  const { hedging } = turn.compiled
  const { id, quantity } = effect.position
  const running = trades.running.find((t) => (hedging ? t.position === id : t.symbol === booked.symbol))
  if (running) {
    running.gross = add(running.gross, booked.gross)
    running.net = add(running.net, booked.net)
  }
  const over = running && booked.closes && (dec(quantity).n === 0n || running.position !== id)
  if (over) trades.running = trades.running.filter((t) => t !== running)
  if (!isZero(booked.opened) && (!running || over))
    trades.running.push(begin(turn, booked, id, over ? ZERO : booked.net))
  return over ? { openedAt: running.openedAt, gross: running.gross, net: running.net } : null
}
const begin = (turn: Turn, { symbol, side }: BookedFill, position: string, net: Dec): Running => ({
  position,
  symbol,
  side,
  openedAt: turn.at,
  gross: ZERO,
  net,
})

/** Swap or funding of a position belongs to its trade and its idea. */
export function noteCarry({ state }: Turn, position: Position, booked: Dec): void {
  for (const trade of state.trades.running) if (trade.position === position.id) trade.net = add(trade.net, booked)
  const side = position.quantity.n > 0n ? 'buy' : 'sell'
  for (const idea of state.trades.ideas)
    if (idea.symbol === position.symbol && idea.side === side) idea.realised = add(idea.realised, booked)
}
