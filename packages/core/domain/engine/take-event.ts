/** One market event, one evaluation point: book, resting limits by arrival, mark, rules, targets and gates. */
import type { MarketEvent } from '../market/event.ts'
import { take } from '../matching/depth.ts'
import { restingFill } from '../matching/resting.ts'
import { add, type Dec, dec, eq, str, sub, ZERO } from '../money/dec.ts'
import { isValuedBy } from './breach.ts'
import { evaluate } from './evaluate.ts'
import { gapsWith } from './facts.ts'
import { closeBook } from './phases.ts'
import { settleProvisional } from './provisional.ts'
import type { AccountState } from './state.ts'
import { bookSource, fill, type Turn, write } from './turn.ts'
import { quotesBefore } from './valuation.ts'

/** More than a look at the rules: something closes, rests or waits for a mark. */
export const trades = (s: AccountState, event: MarketEvent): boolean =>
  s.closing.length > 0 ||
  s.provisional !== null ||
  ('symbol' in event && s.orders.some((o) => o.symbol === event.symbol))

export function takeEvent(turn: Turn, event: MarketEvent, before: AccountState): void {
  const { state } = turn
  if ('symbol' in event && turn.owned) {
    for (const book of state.closing) closeBook(turn, book, event.symbol)
    state.closing = state.closing.filter((b) => b.positions.length > 0)
    if (state.status === 'started' && turn.view.symbol(event.symbol)!.status === 'open') fillResting(turn, event)
  }
  settleProvisional(turn)
  const moved = turn.records.length > 0 || !('symbol' in event) || isValuedBy(state, turn.compiled, event.symbol)
  if (moved) evaluate(turn, 'every', gapsWith(before, turn, quotesBefore(turn.view)))
}

function fillResting(turn: Turn, event: Extract<MarketEvent, { symbol: string }>): void {
  const { state, view, compiled } = turn
  const market = compiled.markets.get(event.symbol)
  const symbol = view.symbol(event.symbol)!
  if (!market || !symbol.quote) return
  let printLeft: Dec = event.kind === 'trade' ? dec(event.size) : ZERO
  for (const order of state.orders.filter((o) => o.symbol === event.symbol)) {
    const got = restingFill(
      order.side,
      order.price!,
      sub(order.quantity, order.filled),
      event,
      printLeft,
      symbol,
      state.book,
      market,
    )
    if (!got) continue
    const opposite = order.side === 'buy' ? 'ask' : 'bid'
    if (got.from === 'trade') printLeft = sub(printLeft, got.quantity)
    for (const { level, quantity } of got.levels)
      take(state.book, event.symbol, opposite, level.price, quantity, view.mseq)
    const source =
      got.from === 'trade' && event.kind === 'trade'
        ? {
            kind: 'trade' as const,
            venue: event.venue,
            mseq: event.mseq,
            price: event.price,
            size: event.size,
            ts: event.ts,
            ...(event.synthetic ? { synthetic: event.synthetic } : {}),
          }
        : bookSource(turn, market, got.levels[0]!.level)
    order.filled = add(order.filled, got.quantity)
    fill(turn, state.book, market, {
      order: order.id,
      side: order.side,
      quantity: got.quantity,
      price: order.price!,
      liquidity: 'maker',
      source,
    })
    if (eq(order.filled, order.quantity)) {
      state.orders = state.orders.filter((o) => o !== order)
      write(turn, { kind: 'order', phase: state.phase, order: order.id, status: 'filled', filled: str(order.filled) })
    }
  }
}
