/** Quantities and prices on the instrument's grid and within its bounds; a refusal names the nearest legal value. */
import {
  ceilTo,
  type Dec,
  floorTo,
  gt,
  isMultiple,
  isZero,
  lt,
  max,
  min,
  ONE,
  str,
  sub,
  ZERO,
} from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import { type Refusal, refuse } from './refusal.ts'

/** The legal value nearest to a number off its grid; never below the grid's first step. */
function nearest(value: Dec, step: Dec): Dec {
  const below = floorTo(value, step)
  const above = ceilTo(value, step)
  return gt(sub(value, below), sub(above, value)) || !gt(below, ZERO) ? above : below
}

/** `least` and `most` bound what is named as the nearest. */
export function checkStep(quantity: Dec, market: Market, least = market.step, most: Dec | null = null): Refusal | null {
  if (!gt(quantity, ZERO))
    return refuse('quantity_too_small', 'The quantity must be above zero.', { field: 'quantity', nearest: str(least) })
  if (isMultiple(quantity, market.step)) return null
  const stepped = nearest(quantity, market.step)
  const legal = str(max(least, most ? min(most, stepped) : stepped))
  const detail = `The quantity must be a multiple of ${str(market.step)}; the nearest is ${legal}.`
  return refuse('quantity_off_grid', detail, { field: 'quantity', nearest: legal })
}
export function checkQuantity(quantity: Dec, market: Market): Refusal | null {
  const off = checkStep(quantity, market, market.minQuantity, market.maxQuantity)
  if (off) return off
  if (lt(quantity, market.minQuantity)) {
    const least = str(market.minQuantity)
    return refuse('quantity_too_small', `The least quantity is ${least}.`, { field: 'quantity', nearest: least })
  }
  if (gt(quantity, market.maxQuantity)) {
    const largest = str(market.maxQuantity)
    return refuse('quantity_too_large', `The largest quantity is ${largest}.`, { field: 'quantity', nearest: largest })
  }
  return null
}

/** A price of an order, or the distance of a trail. Outcome contracts are priced in [0, 1]. */
export function checkPrice(price: Dec, field: string, market: Market): Refusal | null {
  const { tick, isOutcome } = market
  if (!gt(price, ZERO) && !(isOutcome && isZero(price)))
    return refuse('price_off_grid', 'The price must be above zero.', { field, nearest: str(tick) })
  if (isOutcome && gt(price, ONE))
    return refuse('price_off_grid', 'The price of an outcome is at most 1.', { field, nearest: '1' })
  if (isMultiple(price, tick)) return null
  const legal = str(nearest(price, tick))
  const detail = `The price must be a multiple of ${str(tick)}; the nearest is ${legal}.`
  return refuse('price_off_grid', detail, { field, nearest: legal })
}
