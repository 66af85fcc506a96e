import type { OrderResource } from '@assay/core/contracts/wire/order'
import type { TradingDeps } from '../deps.ts'

const OVER: ReadonlySet<OrderResource['status']> = new Set(['filled', 'cancelled', 'expired'])
const follows = ({ trail, status }: OrderResource): boolean => trail !== null && !OVER.has(status)

/** Trailing stops move between two records, so the rows hold where they stood last: the owner of the account says where they stand. */
export async function withLiveStops(
  { engine }: TradingDeps,
  assessment: string,
  orders: OrderResource[],
): Promise<OrderResource[]> {
  if (!orders.some(follows)) return orders
  const live = new Map((await engine.read(assessment)).orders.map((order) => [order.id, order]))
  return orders.map((order) => {
    const now = follows(order) ? live.get(order.id) : undefined
    return now ? { ...order, stop_price: now.stop_price ?? null } : order
  })
}
