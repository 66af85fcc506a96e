/** An order reaches the market: it trades what crosses, rests, or waits for its trigger. */
import type { Market } from '../compile.ts'
import { arrivesInNews, isHeldBack } from '../order-rules.ts'
import type { Order } from '../state.ts'
import type { Turn } from '../turn.ts'
import { isTrading } from './market-bar.ts'
import { partnerOf } from './oco.ts'
import { cancelOrder, dropOrder, isDone, writeStanding } from './order-view.ts'
import { sizeAhead } from './queue.ts'
import { cancelIdle } from './reducing.ts'
import { crossing, endRest, takeNow } from './take.ts'
import { follow } from './trail.ts'
import { actOf, trigger } from './trigger.ts'
import { isReached, triggerPrice } from './trigger-price.ts'

/** May be left in the book: not a market order, nor one that trades at once or not at all. */
export const mayRest = ({ type, timeInForce }: Order): boolean =>
  type !== 'market' && timeInForce !== 'ioc' && timeInForce !== 'fok'
export const wouldTake = (turn: Turn, order: Order, market: Market): boolean =>
  order.postOnly && crossing(turn, order, market).length > 0

/** `barred`: the market does not trade now, so nothing is taken. */
export function arrive(turn: Turn, order: Order, market: Market, barred: boolean): void {
  const isLimit = order.type === 'limit'
  if (mayRest(order)) turn.state.orders.push(order)
  if (!isLimit && order.type !== 'market') {
    if (!barred) testStop(turn, order, market)
    return
  }
  if (!barred) takeNow(turn, order, market)
  if (!mayRest(order)) endRest(turn, order)
  else if (!isDone(order)) order.ahead = sizeAhead(turn, order, market)
}
/** A stop whose condition holds already triggers at once; a trail begins here. */
export function testStop(turn: Turn, order: Order, market: Market): void {
  const price = triggerPrice(order.side, market, turn.view)
  if (!price || (order.trailing && follow(order, price))) return
  if (!order.stop || !isReached(order.side, price, order.stop) || isHeldBack(turn, order, actOf(turn, order))) return
  trigger(turn, order, market)
}

/** Latency model: orders whose time has come arrive as they were accepted, with the marks that stand now. */
export function arriveOrders(turn: Turn): void {
  const { state } = turn
  for (const order of state.orders.filter((o) => o.arrivesAt !== null && o.arrivesAt <= turn.at)) {
    const market = turn.compiled.markets.get(order.symbol)!
    // an earlier one's fill may have ended it
    if (!state.orders.includes(order)) continue
    const barred = !isTrading(turn, market)
    order.arrivesAt = null
    if (!barred && wouldTake(turn, order, market)) {
      cancelOrder(turn, order, 'would_take')
      continue
    }
    if (!barred && arrivesInNews(turn, order, market)) {
      for (const leg of [order, partnerOf(turn, order)]) if (leg) cancelOrder(turn, leg, 'news_window')
      continue
    }
    dropOrder(state, order)
    writeStanding(turn, order, 'working')
    arrive(turn, order, market, barred)
  }
  cancelIdle(turn)
}
