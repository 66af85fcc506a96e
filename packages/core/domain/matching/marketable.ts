import type { Market } from '../engine/compile.ts'
import type { Book } from '../engine/state.ts'
import type { SymbolView } from '../engine/view.ts'
import type { Side } from '../market/event.ts'
import {
  add,
  ceilTo,
  type Dec,
  div,
  floorTo,
  gt,
  isZero,
  lt,
  min,
  mul,
  ONE,
  ofInt,
  sub,
  sum,
  ZERO,
} from '../money/dec.ts'
import { type OpenLevel, openLevels } from './depth.ts'

export interface Execution {
  price: Dec
  /** the source's, without this account's mark-up */
  raw: Dec
  quantity: Dec
  kind: 'quote' | 'levels' | 'slippage'
  /** event and size of the level that made it */
  mseq: number
  size: Dec
}

/**
 * The marketable part of an order (trading.md, Fills): opposite levels best first, each with min(rest, size - taken);
 * beyond them one fill of at most visible x cap_bps / slippage_bps at last level x (1 +/- slippage_bps / 10^4 x
 * quantity / visible), on the tick against the trader. `limit`: no worse price than this. Nothing is booked here.
 */
export function marketable(
  side: Side,
  quantity: Dec,
  limit: Dec | null,
  view: SymbolView,
  book: Book,
  market: Market,
): Execution[] {
  const opposite = side === 'buy' ? 'ask' : 'bid'
  const allowed = (price: Dec): boolean => limit === null || (side === 'buy' ? !gt(price, limit) : !lt(price, limit))
  const levels: OpenLevel[] = openLevels(view, opposite, book, market)
  const executions: Execution[] = []
  let rest = quantity
  for (const level of levels) {
    if (isZero(rest) || !allowed(level.price)) return executions
    const size = min(rest, level.open)
    if (isZero(size)) continue
    const { price, raw, kind, mseq } = level
    executions.push({ price, raw, quantity: size, kind, mseq, size: level.size })
    rest = sub(rest, size)
  }
  const slip = isZero(rest) ? null : slippage(side, rest, levels, market)
  if (slip && allowed(slip.price)) executions.push(slip)
  return executions
}

function slippage(side: Side, rest: Dec, levels: OpenLevel[], market: Market): Execution | null {
  const visible = sum(levels.map((l) => l.open))
  if (isZero(visible) || isZero(market.slippageBps)) return null
  const most = floorTo(div(mul(visible, market.capBps), market.slippageBps), market.step)
  const quantity = min(rest, most)
  if (isZero(quantity)) return null
  const last = levels[levels.length - 1]!
  // one division, last: a price that is exactly on the tick must not be rounded off it
  const moved = div(mul(mul(last.price, market.slippageBps), quantity), mul(visible, ofInt(10_000)))
  const price =
    side === 'buy' ? ceilTo(add(last.price, moved), market.tick) : floorTo(sub(last.price, moved), market.tick)
  if (!gt(price, ZERO) || (market.isOutcome && gt(price, ONE))) return null
  const { markup } = market
  const raw = side === 'buy' ? sub(price, markup) : add(price, markup)
  return { price, raw, quantity, kind: 'slippage', mseq: last.mseq, size: visible }
}
