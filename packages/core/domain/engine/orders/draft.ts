/** Orders as a command asks for them, their decimals parsed once: one, or the two legs of an OCO. */
import { type Dec, dec, div, ofInt, ZERO } from '../../money/dec.ts'
import type { Bracket, Order, Trailing } from '../state.ts'
import type { Turn } from '../turn.ts'
import type { Command, OrderType, Trail } from '../types.ts'

export type OrderCommand = Extract<Command, { op: 'order' }>
const stopLegOf = (order: string): string => `${order}.stop`
const HUNDRED = ofInt(100)
const some = (text: string | undefined): Dec | null => (text === undefined ? null : dec(text))

export const distanceOf = (trail: Trail): Pick<Trailing, 'offset' | 'share'> =>
  'offset' in trail ? { offset: dec(trail.offset), share: null } : { offset: null, share: div(dec(trail.pct), HUNDRED) }

function bracketOf({ take_profit, stop_loss }: OrderCommand): Bracket | null {
  if (!take_profit && !stop_loss) return null
  const stop = stop_loss && 'stop_price' in stop_loss ? stop_loss : null
  return {
    takeProfit: some(take_profit?.price),
    stop: some(stop?.stop_price),
    stopLimit: some(stop?.price),
    trail: stop_loss && 'trail' in stop_loss ? distanceOf(stop_loss.trail) : null,
    born: false,
  }
}

/** `expiresAt`: when a DAY order ends, for one that asks for it. */
export function draftOrders(turn: Turn, command: OrderCommand, id: string, expiresAt: () => number | null): Order[] {
  const { type } = command
  const timeInForce = command.time_in_force ?? (type === 'market' ? 'ioc' : 'gtc')
  const order: Order = {
    id,
    clientId: command.client_order_id ?? null,
    symbol: command.symbol,
    side: command.side,
    type: type as OrderType,
    timeInForce,
    price: type === 'oco' ? null : some(command.price),
    stop: type === 'oco' ? null : some(command.stop_price),
    trailing:
      command.trail && type === 'trailing_stop'
        ? { ...distanceOf(command.trail), activation: some(command.activation_price), best: null }
        : null,
    quantity: dec(command.quantity),
    filled: ZERO,
    reduceOnly: command.reduce_only === true || command.position !== undefined,
    postOnly: command.post_only === true,
    expiresAt: timeInForce === 'day' ? expiresAt() : (command.expires_at ?? null),
    createdAt: turn.at,
    arrivesAt: null,
    ahead: null,
    bracket: bracketOf(command),
    parent: null,
    oco: null,
    position: command.position ?? null,
  }
  if (type !== 'oco') return [order]
  const stop = { price: some(command.stop_limit_price), stop: some(command.stop_price) }
  const other = stopLegOf(id)
  return [
    { ...order, type: 'limit', price: dec(command.price!), oco: other },
    { ...order, ...stop, id: other, clientId: null, type: stop.price ? 'stop_limit' : 'stop', oco: id },
  ]
}
