/** Sizes of opening orders, by symbol, in the running week. */
import { weekOf } from '../calendars/local-time.ts'
import type { Lots } from '../engine/state.ts'
import { add, type Dec, isZero, max, min, ZERO } from '../money/dec.ts'
import { offsetAt } from '../time/zone.ts'
import type { BookedFill, Facts } from './kind.ts'

/** Number of the local week, from Monday on, in which the trading day ends: it changes at a reset, never between points. */
function weekNow({ compiled, day }: Facts): number {
  const last = day.next - 1
  return weekOf(last + offsetAt(compiled.zone, last))
}

/** Sizes of the running week with the orders that are still being filled. */
export function sizesOf(lots: Omit<Lots, 'symbol' | 'week'>): { count: number; sum: Dec; least: Dec; most: Dec } {
  let { count, sum, least, most } = lots
  for (const { size } of lots.open) {
    least = count === 0 ? size : min(least, size)
    most = count === 0 ? size : max(most, size)
    sum = add(sum, size)
    count += 1
  }
  return { count, sum, least, most }
}
export const ofThisWeek = (facts: Facts): Lots[] => {
  const week = weekNow(facts)
  return facts.account.trades.lots.filter((l) => l.week === week)
}

/** An order that is filled in parts is one size: it is added up while it can still be filled. */
export function countSize(fill: BookedFill, facts: Facts): void {
  if (isZero(fill.opened)) return
  const { trades, orders } = facts.account
  const week = weekNow(facts)
  let lots = trades.lots.find((l) => l.symbol === fill.symbol)
  if (!lots || lots.week !== week) {
    trades.lots = trades.lots.filter((l) => l !== lots)
    lots = { symbol: fill.symbol, week, count: 0, sum: ZERO, least: ZERO, most: ZERO, open: [] }
    trades.lots.push(lots)
  }
  const started = lots.open.find((o) => o.order === fill.order)
  const done = lots.open.filter((o) => o !== started && !orders.some((order) => order.id === o.order))
  Object.assign(lots, sizesOf({ ...lots, open: done }))
  lots.open = lots.open.filter((o) => !done.includes(o) && o !== started)
  lots.open.push({ order: fill.order, size: add(started?.size ?? ZERO, fill.opened) })
}
