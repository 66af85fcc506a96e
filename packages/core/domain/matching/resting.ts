import type { Market } from '../engine/compile.ts'
import type { Book } from '../engine/state.ts'
import type { SymbolView } from '../engine/view.ts'
import type { MarketEvent, Side } from '../market/event.ts'
import { add, type Dec, dec, eq, gt, isZero, lt, max, min, sub, ZERO } from '../money/dec.ts'
import { type OpenLevel, openLevels } from './depth.ts'

export interface RestingFill {
  quantity: Dec
  from: 'book' | 'trade'
  /** book: what each level gives, best first */
  levels: { level: OpenLevel; quantity: Dec }[]
}

/**
 * What one event gives a resting limit order at P, as maker at P: the opposite levels at P or better (size - taken),
 * or a trade printed beyond P up to what is left of that print; an event that is both gives the larger, not the sum.
 * `printLeft`: what this account's earlier orders left of the print. `ahead`: queue model, the size that a print at P
 * itself goes to first; null: such a print gives nothing.
 */
export function restingFill(
  side: Side,
  price: Dec,
  rest: Dec,
  event: MarketEvent,
  printLeft: Dec,
  view: SymbolView,
  book: Book,
  market: Market,
  ahead: Dec | null = null,
): RestingFill | null {
  const reached = (p: Dec): boolean => (side === 'buy' ? !gt(p, price) : !lt(p, price))
  const beyond = (p: Dec): boolean => (side === 'buy' ? lt(p, price) : gt(p, price))
  const fromPrint = (printed: Dec): Dec => {
    if (beyond(printed)) return printLeft
    return ahead && eq(printed, price) ? max(ZERO, sub(printLeft, ahead)) : ZERO
  }
  const levels: RestingFill['levels'] = []
  let fromBook = ZERO
  for (const level of openLevels(view, side === 'buy' ? 'ask' : 'bid', book, market)) {
    if (!reached(level.price)) break
    const quantity = min(sub(rest, fromBook), level.open)
    if (isZero(quantity)) continue
    levels.push({ level, quantity })
    fromBook = add(fromBook, quantity)
  }
  const fromTrade = event.kind === 'trade' ? min(rest, fromPrint(dec(event.price))) : ZERO
  if (isZero(fromBook) && isZero(fromTrade)) return null
  if (gt(fromTrade, fromBook)) return { quantity: fromTrade, from: 'trade', levels: [] }
  return { quantity: fromBook, from: 'book', levels }
}
