/** What an order asks for, before anything trades: its grids, its bracket, its legs, its expiry, what it may reduce. */
import { type Dec, gt, gte, isZero, lt, ONE, ofInt } from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import type { Order, Trailing } from '../state.ts'
import type { Turn } from '../turn.ts'
import { checkPrice, checkQuantity } from './check-grid.ts'
import { reducible } from './reducing.ts'
import { type Refusal, refuse } from './refusal.ts'
import { touchFor } from './trigger-price.ts'

type Distance = Pick<Trailing, 'offset' | 'share'>
const HUNDRED = ofInt(100)

export function checkTrail({ offset, share }: Distance, field: string, market: Market): Refusal | null {
  if (offset) return checkPrice(offset, `${field}.offset`, market)
  if (gt(share!, { n: 0n, s: 0 }) && lt(share!, ONE)) return null
  return refuse('validation_failed', `A trail's percentage is above 0 and below ${HUNDRED.n}.`, {
    field: `${field}.pct`,
  })
}

/** Every number on its grid and within its bounds. */
export function checkNumbers(order: Order, market: Market): Refusal | null {
  const quantity = checkQuantity(order.quantity, market)
  if (quantity) return quantity
  const isLeg = order.oco !== null && order.type !== 'limit'
  const prices: [Dec | null | undefined, string][] = [
    [order.price, isLeg ? 'stop_limit_price' : 'price'],
    [order.stop, 'stop_price'],
    [order.trailing?.activation, 'activation_price'],
    [order.bracket?.takeProfit, 'take_profit.price'],
    [order.bracket?.stop, 'stop_loss.stop_price'],
    [order.bracket?.stopLimit, 'stop_loss.price'],
  ]
  for (const [price, field] of prices) {
    const off = price && checkPrice(price, field, market)
    if (off) return off
  }
  if (order.trailing) return checkTrail(order.trailing, 'trail', market)
  return order.bracket?.trail ? checkTrail(order.bracket.trail, 'stop_loss.trail', market) : null
}

/** Hedging orders name the ticket that they reduce; netting ones none. */
export function checkReducing(turn: Turn, order: Order): Refusal | null {
  const { hedging } = turn.compiled
  if (!hedging && order.position !== null)
    return refuse('validation_failed', 'A netting account has one position a symbol: none is named.', {
      field: 'position',
    })
  if (!order.reduceOnly) return null
  if (hedging && order.position === null)
    return refuse('validation_failed', 'A reducing order of a hedging account names its position.', {
      field: 'position',
    })
  const ticket = turn.state.book.positions.find((p) => p.id === order.position)
  if (hedging && ticket?.symbol !== order.symbol)
    return refuse('position_not_open', `There is no open position ${order.position} in ${order.symbol}.`, {
      field: 'position',
    })
  if (isZero(reducible(turn.state, order)))
    return refuse('nothing_to_reduce', `There is no position in ${order.symbol} that this order could reduce.`, {
      field: hedging ? 'side' : 'reduce_only',
    })
  return null
}

export const checkExpiry = (turn: Turn, { timeInForce, expiresAt }: Order): Refusal | null =>
  timeInForce === 'gtd' && expiresAt! <= turn.at
    ? refuse('order_expired', 'The order would be expired already.', { field: 'expires_at' })
    : null

/** The price that an order is meant to trade at: its own, else the touch that it takes. */
export const referenceOf = (turn: Turn, order: Order, market: Market): Dec | null =>
  (order.type === 'market' ? null : (order.price ?? order.stop)) ?? touchFor(order.side, market, turn.view)

/** A bracket agrees with its entry: a buy's stop is below it and its profit above, a sell's mirrored. */
export function checkBracket(order: Order, reference: Dec | null): Refusal | null {
  if (!order.bracket || order.bracket.born || !reference) return null
  const { takeProfit, stop } = order.bracket
  const gains = (price: Dec): boolean => (order.side === 'buy' ? gt(price, reference) : lt(price, reference))
  const loses = (price: Dec): boolean => (order.side === 'buy' ? lt(price, reference) : gt(price, reference))
  const wrong = (field: string, way: string): Refusal =>
    refuse('bracket_inconsistent', `It must be ${way} the entry's price.`, { field })
  const [above, below] = order.side === 'buy' ? ['above', 'below'] : ['below', 'above']
  if (takeProfit && !gains(takeProfit)) return wrong('take_profit.price', above!)
  return stop && !loses(stop) ? wrong('stop_loss.stop_price', below!) : null
}

/** The limit leg is on the passive side of the touch, the stop leg on the other. */
export function checkLegs(turn: Turn, [limit, stop]: readonly Order[], market: Market): Refusal | null {
  const touch = limit && touchFor(limit.side, market, turn.view)
  if (!limit || !stop || !touch) return null
  const [lower, upper, below] =
    limit.side === 'buy' ? [limit.price!, stop.stop!, 'price'] : [stop.stop!, limit.price!, 'stop_price']
  const above = below === 'price' ? 'stop_price' : 'price'
  if (gte(lower, touch)) return refuse('oco_inconsistent', 'It must be below the market.', { field: below })
  if (!gt(upper, touch)) return refuse('oco_inconsistent', 'It must be above the market.', { field: above })
  return null
}
