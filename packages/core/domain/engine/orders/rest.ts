/** Resting limit orders at one event: makers at their own price, by arrival. */
import type { MarketEvent } from '../../market/event.ts'
import { take } from '../../matching/depth.ts'
import { type RestingFill, restingFill } from '../../matching/resting.ts'
import { type Dec, dec, eq, gt, gte, isZero, lte, max, sub, ZERO } from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import { isHeldBack, noteAct } from '../order-rules.ts'
import type { Order } from '../state.ts'
import { bookSource, fill, type Turn } from '../turn.ts'
import type { FillSource } from '../types.ts'
import type { SymbolView } from '../view.ts'
import { displayedFor } from './queue.ts'
import { openQuantity } from './reducing.ts'
import { followFill } from './take.ts'
import { actOf } from './trigger.ts'
import { touchFor } from './trigger-price.ts'

type SymbolEvent = Extract<MarketEvent, { symbol: string }>

/** Waits in the book at its own price. */
export const isResting = (order: Order): boolean =>
  order.arrivesAt === null && (order.type === 'limit' || (order.type === 'stop_limit' && order.stop === null))
/** Has an event anything for an order that rests at this price? */
export function mayFill(order: Order, touch: Dec, print: Dec | null): boolean {
  const price = order.price!
  const meets = order.side === 'buy' ? lte : gte
  return meets(touch, price) || (print !== null && meets(print, price)) || order.ahead !== null
}

export function fillResting(turn: Turn, event: SymbolEvent, market: Market): void {
  const { state, view } = turn
  const symbol = view.symbol(event.symbol)!
  const print = event.kind === 'trade' ? dec(event.price) : null
  let printLeft: Dec = event.kind === 'trade' ? dec(event.size) : ZERO
  for (const order of state.orders) {
    if (
      order.symbol !== event.symbol ||
      !isResting(order) ||
      !mayFill(order, touchFor(order.side, market, view)!, print)
    )
      continue
    if (turn.born.includes(order.id)) continue
    const waits = order.ahead
    followQueue(order, event, print, market, symbol)
    if (order.oco !== null && turn.filled.includes(order.oco)) continue
    // an earlier one of this event may have ended it: `orders` is a new list then, this loop goes on in the old one
    if (!state.orders.includes(order) || isHeldBack(turn, order, actOf(turn, order))) continue
    const got = restingFill(
      order.side,
      order.price!,
      openQuantity(state, order),
      event,
      printLeft,
      symbol,
      state.book,
      market,
      waits,
    )
    if (!got) continue
    if (got.from === 'trade') printLeft = sub(printLeft, got.quantity)
    fillAsMaker(turn, order, event, market, got)
  }
}

/** Prints at its price shorten the queue before an order, and so does less that is displayed there. */
function followQueue(order: Order, event: SymbolEvent, print: Dec | null, market: Market, view: SymbolView): void {
  if (order.ahead === null || isZero(order.ahead)) return
  if (event.kind === 'trade' && eq(print!, order.price!)) order.ahead = max(ZERO, sub(order.ahead, dec(event.size)))
  const displayed = displayedFor(order, market, view)
  if (displayed && gt(order.ahead, displayed)) order.ahead = displayed
}

function fillAsMaker(turn: Turn, order: Order, event: SymbolEvent, market: Market, got: RestingFill): void {
  const { book } = turn.state
  const opposite = order.side === 'buy' ? 'ask' : 'bid'
  for (const { level, quantity } of got.levels) take(book, event.symbol, opposite, level.raw, quantity, turn.view.mseq)
  noteAct(turn, actOf(turn, order), order.symbol)
  fill(turn, book, market, {
    order: order.id,
    side: order.side,
    quantity: got.quantity,
    price: order.price!,
    liquidity: 'maker',
    source: got.from === 'trade' ? tradeSource(event) : bookSource(turn, market, got.levels[0]!.level),
    ...(order.position ? { position: order.position } : {}),
  })
  followFill(turn, order, market, got.quantity)
}

function tradeSource(event: SymbolEvent): FillSource {
  const { venue, mseq, price, size, ts, synthetic } = event as Extract<MarketEvent, { kind: 'trade' }>
  return { kind: 'trade', venue, mseq, price, size, ts, ...(synthetic ? { synthetic } : {}) }
}
