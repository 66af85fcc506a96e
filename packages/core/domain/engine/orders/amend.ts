/** Changing a waiting order: a new price or a raised quantity goes to the end of the queue, a crossing price trades. */
import { type Dec, dec, eq, gt } from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import { refuseByRules, refuseExits } from '../order-rules.ts'
import type { Order } from '../state.ts'
import { fork, type Turn, takeBack } from '../turn.ts'
import type { AmendBody, Answer } from '../types.ts'
import { accountBar, checkNotional, lockBar, marginBar, type Standing } from './admit.ts'
import { testStop, wouldTake } from './arrive.ts'
import { findOrder, notWorking } from './cancel.ts'
import { checkPrice, checkQuantity } from './check-grid.ts'
import { checkBracket, checkTrail, referenceOf } from './check-terms.ts'
import { distanceOf } from './draft.ts'
import { marketBar } from './market-bar.ts'
import { answerView, dropOrder, isDone, writeStanding } from './order-view.ts'
import { sizeAhead } from './queue.ts'
import { cancelIdle, onlyReduces } from './reducing.ts'
import { type Refusal, refuse } from './refusal.ts'
import { isResting } from './rest.ts'
import { takeNow } from './take.ts'
import { keepDistance } from './trail.ts'

export function amendOrder(turn: Turn, name: string, change: AmendBody): Answer {
  const account = accountBar(turn.state)
  if (account) return account
  const order = findOrder(turn, name)
  if (!order) return notWorking(name)
  const market = turn.compiled.markets.get(order.symbol)!
  const wrong = checkChange(turn, order, change, market)
  if (wrong) return wrong
  const written = turn.records.length
  const { moved, anew } = apply(order, change)
  const refusal = anew ? enterAnew(turn, order, market, moved) : stayInPlace(turn, order, market, change)
  if (refusal) {
    takeBack(turn, written)
    return refusal
  }
  cancelIdle(turn)
  return { ok: true, order: answerView(turn, order) }
}

const fixed = (field: string, why: string): Refusal => refuse('not_amendable', why, { field })
function checkChange(turn: Turn, order: Order, change: AmendBody, market: Market): Refusal | null {
  const { quantity, price, stop_price, trail, expires_at } = change
  if ([quantity, price, stop_price, trail, expires_at].every((value) => value === undefined))
    return refuse('validation_failed', 'Say what changes.', { field: 'quantity' })
  if (quantity !== undefined) {
    if (order.parent !== null || order.oco !== null)
      return fixed('quantity', 'The quantity of an exit or of an OCO leg follows from fills.')
    const off = checkQuantity(dec(quantity), market)
    if (off) return off
    if (!gt(dec(quantity), order.filled))
      return refuse('quantity_too_small', 'The quantity must be above what is filled.', { field: 'quantity' })
  }
  if (price !== undefined) {
    if (order.type !== 'limit' && order.type !== 'stop_limit') return fixed('price', 'It has no limit price.')
    const off = checkPrice(dec(price), 'price', market)
    if (off) return off
  }
  if (stop_price !== undefined) {
    if (order.trailing || !order.stop) return fixed('stop_price', 'It has no stop price that could be set.')
    const off = checkPrice(dec(stop_price), 'stop_price', market)
    if (off) return off
  }
  if (trail !== undefined) {
    if (!order.trailing) return fixed('trail', 'It trails nothing.')
    const off = checkTrail(distanceOf(trail), 'trail', market)
    if (off) return off
  }
  if (expires_at === undefined) return null
  if (order.timeInForce !== 'gtd') return fixed('expires_at', 'Only a GTD order has a time of its own.')
  return expires_at > turn.at
    ? null
    : refuse('order_expired', 'The order would be expired already.', { field: 'expires_at' })
}

/** `moved`: it loses its place, by another price or by more than before; `anew`: it is checked and tested again. */
function apply(order: Order, change: AmendBody): { moved: boolean; anew: boolean } {
  const { quantity, price, stop_price, trail, expires_at } = change
  const differs = (now: Dec | null, next: Dec): boolean => !now || !eq(now, next)
  let moved = false
  let anew = false
  if (quantity !== undefined) {
    moved ||= gt(dec(quantity), order.quantity)
    order.quantity = dec(quantity)
  }
  if (price !== undefined) {
    moved ||= differs(order.price, dec(price))
    order.price = dec(price)
  }
  if (stop_price !== undefined) {
    anew ||= differs(order.stop, dec(stop_price))
    order.stop = dec(stop_price)
  }
  if (trail !== undefined) {
    anew = true
    Object.assign(order.trailing!, distanceOf(trail))
    keepDistance(order)
  }
  if (expires_at !== undefined) order.expiresAt = expires_at
  return { moved, anew: anew || moved }
}

/**
 * As if it came now: refused as a new order is, in that order, and trading what crosses; at the end of the queue where
 * it `moved`. One that is on its way is only tried.
 */
function enterAnew(turn: Turn, order: Order, market: Market, moved: boolean): Refusal | null {
  const reduces = onlyReduces(turn, order)
  const bar = marketBar(turn, market)
  const reference = referenceOf(turn, order, market)
  const refusal =
    (reduces ? null : lockBar(turn.state)) ??
    (bar && !(reduces && order.price !== null && order.stop === null) ? bar : null) ??
    (reduces ? null : checkNotional(order, reference, market)) ??
    (order.trailing ? null : checkBracket(order, reference)) ??
    refuseByRules(turn, order, market)
  if (refusal) return refusal
  if (order.arrivesAt === null) return stand(turn, order, market, { moved, bar, reduces })
  const trial = fork(turn)
  const twin = trial.state.orders.find((o) => o.id === order.id)!
  twin.arrivesAt = null
  const refused = stand(trial, twin, market, { moved, bar, reduces })
  if (!refused) writeStanding(turn, order, 'amended')
  return refused
}
function stand(
  turn: Turn,
  order: Order,
  market: Market,
  { moved, bar, reduces }: Standing & { moved: boolean },
): Refusal | null {
  if (!bar && wouldTake(turn, order, market))
    return refuse('would_take', 'A post-only order may not trade at once.', { field: 'price' })
  writeStanding(turn, order, 'amended')
  if (moved) {
    dropOrder(turn.state, order)
    turn.state.orders.push(order)
  }
  if (isResting(order)) {
    if (!bar) takeNow(turn, order, market)
    if (!isDone(order)) order.ahead = sizeAhead(turn, order, market)
  } else if (!bar) testStop(turn, order, market)
  return reduces ? null : marginBar(turn, [order], market)
}
/** Less of an order, or the same until another time: only what is too small for the market is refused. */
function stayInPlace(turn: Turn, order: Order, market: Market, { quantity }: AmendBody): Refusal | null {
  const refusal =
    quantity === undefined
      ? null
      : onlyReduces(turn, order)
        ? refuseExits(turn, turn.state.orders)
        : checkNotional(order, referenceOf(turn, order, market), market)
  if (!refusal) writeStanding(turn, order, 'amended')
  return refusal
}
