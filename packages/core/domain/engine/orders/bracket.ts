/** A bracket's exits: born with the first fill of their entry, as large as what is filled, each the other's OCO. */
import { add, type Dec, eq, ZERO } from '../../money/dec.ts'
import type { Market } from '../compile.ts'
import type { Order } from '../state.ts'
import type { Turn } from '../turn.ts'
import { cancelOrder, writeStanding } from './order-view.ts'
import { sizeAhead } from './queue.ts'
import { follow } from './trail.ts'
import { triggerPrice } from './trigger-price.ts'

const takeProfitOf = (entry: string): string => `${entry}.tp`
const stopLossOf = (entry: string): string => `${entry}.sl`

/** After a fill of `got`: the exits are born, or grow by it. */
export function growExits(turn: Turn, entry: Order, market: Market, got: Dec): void {
  if (!entry.bracket!.born) {
    bearExits(turn, entry, market)
    return
  }
  for (const exit of turn.state.orders.filter((o) => o.parent === entry.id)) {
    exit.quantity = add(exit.quantity, got)
    writeStanding(turn, exit, 'amended', 'entry')
  }
}

function bearExits(turn: Turn, entry: Order, market: Market): void {
  const bracket = entry.bracket!
  bracket.born = true
  const both = bracket.takeProfit !== null && (bracket.stop !== null || bracket.trail !== null)
  const exit = exitOf(turn, entry)
  const exits: Order[] = []
  if (bracket.takeProfit) {
    const oco = both ? stopLossOf(entry.id) : null
    exits.push({ ...exit, id: takeProfitOf(entry.id), oco, type: 'limit', price: bracket.takeProfit })
  }
  const stop = { ...exit, id: stopLossOf(entry.id), oco: both ? takeProfitOf(entry.id) : null }
  if (bracket.trail)
    exits.push({ ...stop, type: 'trailing_stop', trailing: { ...bracket.trail, activation: null, best: null } })
  else if (bracket.stop)
    exits.push({
      ...stop,
      type: bracket.stopLimit ? 'stop_limit' : 'stop',
      stop: bracket.stop,
      price: bracket.stopLimit,
    })
  for (const order of exits) {
    const price = order.trailing && triggerPrice(order.side, market, turn.view)
    if (price) follow(order, price)
    if (order.type === 'limit') order.ahead = sizeAhead(turn, order, market)
    turn.state.orders.push(order)
    turn.born.push(order.id)
    writeStanding(turn, order, 'working')
  }
}

const exitOf = (turn: Turn, entry: Order): Omit<Order, 'id' | 'type' | 'oco'> => ({
  clientId: null,
  symbol: entry.symbol,
  side: entry.side === 'buy' ? 'sell' : 'buy',
  timeInForce: 'gtc',
  price: null,
  stop: null,
  trailing: null,
  quantity: entry.filled,
  filled: ZERO,
  reduceOnly: true,
  postOnly: false,
  expiresAt: null,
  createdAt: turn.at,
  arrivesAt: null,
  ahead: null,
  bracket: null,
  parent: entry.id,
  position: turn.compiled.hedging ? entry.id : null,
})

/** An exit has done its work, or there is nothing left to exit: what is left of the entry goes. */
export function leaveEntry(turn: Turn, entry: string): void {
  const order = turn.state.orders.find((o) => o.id === entry)
  if (order && !eq(order.filled, order.quantity)) cancelOrder(turn, order, 'bracket_exited')
}
