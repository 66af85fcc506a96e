/** Margin call: while equity is below a share of the used margin the largest loss is closed. */
import { isSessionOpen } from '../calendars/sessions.ts'
import { valueIn } from '../instruments/convert.ts'
import { marketable } from '../matching/marketable.ts'
import { abs, cmp, type Dec, lt, mul, sign, str } from '../money/dec.ts'
import { valuingSymbols } from './breach.ts'
import type { Position } from './state.ts'
import { own, type Turn, takeDepth, write } from './turn.ts'
import { equityOf, floating, usedMargin } from './valuation.ts'

/** E < stop_out x used, where something is held. */
export function isCalled({ state, compiled, quoteOf }: Turn): boolean {
  if (compiled.stopOut === null || state.status !== 'started' || state.book.positions.length === 0) return false
  const used = usedMargin(state.book, compiled, quoteOf)
  return lt(equityOf(state.book, compiled, quoteOf), mul(compiled.stopOut, used))
}

/**
 * While E < stop_out x used, the position with the largest loss (account currency; ties by symbol, then id) whose market
 * is open is closed whole like a market order, and it is tested again. Nothing is closed while a symbol that values the
 * account is unknown; a position without depth is passed over. True when something was filled: rules are compared again.
 */
export function stopOut(turn: Turn): boolean {
  const { compiled, quoteOf } = turn
  const level = compiled.stopOut
  if (level === null || turn.state.status !== 'started' || turn.state.book.positions.length === 0) return false
  const tried = new Set<string>()
  let filled = false
  for (;;) {
    const { book } = turn.state
    if (book.positions.length === 0) return filled
    const equity = equityOf(book, compiled, quoteOf)
    const used = usedMargin(book, compiled, quoteOf)
    if (!lt(equity, mul(level, used))) return filled
    if (valuingSymbols(turn.state, compiled).some((s) => turn.view.symbol(s)?.status === 'unknown')) return filled
    const worst = largestLoss(turn, tried)
    if (!worst) return filled
    tried.add(worst.id)
    filled = closeWhole(turn, worst, { equity, used, level }) || filled
  }
}

/** Of the positions that can be closed now and were not tried yet. */
function largestLoss(turn: Turn, tried: ReadonlySet<string>): Position | null {
  const { compiled, quoteOf } = turn
  const closable = turn.state.book.positions.filter(
    (p) =>
      !tried.has(p.id) &&
      turn.view.symbol(p.symbol)?.status === 'open' &&
      isSessionOpen(compiled.markets.get(p.symbol)!, turn.at),
  )
  const results = closable.map((position) => {
    const market = compiled.markets.get(position.symbol)!
    const quote = quoteOf(position.symbol)!
    const result = floating(position.quantity, position.cost, market, quote.bid.price, quote.ask.price)
    return { position, result: valueIn(result, market.path!, quoteOf)! }
  })
  const asText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
  results.sort(
    (a, b) =>
      cmp(a.result, b.result) || asText(a.position.symbol, b.position.symbol) || asText(a.position.id, b.position.id),
  )
  return results[0]?.position ?? null
}

/** Closes it as far as there is depth; false: there is none. */
function closeWhole(turn: Turn, worst: Position, at: { equity: Dec; used: Dec; level: Dec }): boolean {
  const market = turn.compiled.markets.get(worst.symbol)!
  const view = turn.view.symbol(worst.symbol)!
  const side = sign(worst.quantity) > 0 ? 'sell' : 'buy'
  const state = own(turn)
  const executions = marketable(side, abs(worst.quantity), null, view, state.book, market)
  if (executions.length === 0) return false
  write(turn, {
    kind: 'stop_out',
    phase: state.phase,
    position: worst.id,
    symbol: worst.symbol,
    equity: str(at.equity),
    used: str(at.used),
    level: str(at.level),
  })
  takeDepth(turn, state.book, market, 'stop_out', side, executions, worst.id)
  return true
}
