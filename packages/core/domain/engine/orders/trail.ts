/** Trailing stops: they follow the best price of their trigger side, only in the favourable direction. */
import type { Side } from '../../market/event.ts'
import { add, type Dec, gt, gte, lt, lte, mul, sub } from '../../money/dec.ts'
import type { Order, Trailing } from '../state.ts'

const isBetter = (side: Side, price: Dec, best: Dec): boolean => (side === 'sell' ? gt(price, best) : lt(price, best))
const stopAt = (side: Side, best: Dec, { offset, share }: Trailing): Dec => {
  const away = offset ?? mul(best, share!)
  return side === 'sell' ? sub(best, away) : add(best, away)
}
const isActivated = (side: Side, price: Dec, { activation }: Trailing): boolean =>
  activation === null || (side === 'sell' ? gte(price, activation) : lte(price, activation))

/** Would this price change the order's trail? */
export function wouldFollow(order: Order, price: Dec): boolean {
  const { best } = order.trailing!
  return best === null ? isActivated(order.side, price, order.trailing!) : isBetter(order.side, price, best)
}
/** Follows the price; false: there was nothing to follow. */
export function follow(order: Order, price: Dec): boolean {
  if (!wouldFollow(order, price)) return false
  const trailing = order.trailing!
  trailing.activation = null
  trailing.best = price
  order.stop = stopAt(order.side, price, trailing)
  return true
}
/** The stop under a new distance. */
export function keepDistance(order: Order): void {
  const trailing = order.trailing!
  order.stop = trailing.best && stopAt(order.side, trailing.best, trailing)
}
