/** Whether an event may change a working order: most do not, and then nothing of the account is copied. */
import type { MarketEvent } from '../../market/event.ts'
import { dec } from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import type { Order } from '../state.ts'
import type { Turn } from '../turn.ts'
import { isResting, mayFill } from './rest.ts'
import { wouldFollow } from './trail.ts'
import { eventPrice, isStop } from './trigger.ts'
import { isReached, touchFor } from './trigger-price.ts'

export function stirs(turn: Turn, event: Extract<MarketEvent, { symbol: string }>, market: Market): boolean {
  const { view } = turn
  const print = event.kind === 'trade' ? dec(event.price) : null
  const ask = touchFor('buy', market, view)!
  const bid = touchFor('sell', market, view)!
  const stopStirs = (order: Order): boolean => {
    const price = eventPrice(event, order, market, view)
    if (!price) return false
    return (
      (order.trailing && wouldFollow(order, price)) || (order.stop !== null && isReached(order.side, price, order.stop))
    )
  }
  return turn.state.orders.some((order) => {
    if (order.symbol !== event.symbol) return false
    if (isResting(order)) return mayFill(order, order.side === 'buy' ? ask : bid, print)
    return isStop(order) && stopStirs(order)
  })
}
