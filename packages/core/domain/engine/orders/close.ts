import { abs, dec, ZERO } from '../../money/dec.ts'
import type { Order } from '../state.ts'
import type { Turn } from '../turn.ts'
import type { Answer, Command } from '../types.ts'
import { accountBar } from './admit.ts'
import { checkStep } from './check-grid.ts'
import { submit } from './place-order.ts'
import { refuse } from './refusal.ts'

/** Closes a position, or part of it, like a market order that can only reduce it. Netting: the symbol names it too. */
export function closePosition(turn: Turn, command: Extract<Command, { op: 'close' }>, id: string): Answer {
  const { state, compiled } = turn
  const account = accountBar(state)
  if (account) return account
  const named = command.position
  const held = state.book.positions.find((p) => p.id === named || (!compiled.hedging && p.symbol === named))
  if (!held) return refuse('position_not_open', `There is no open position ${named}.`, { field: 'position' })
  const market = compiled.markets.get(held.symbol)!
  const order: Order = {
    id,
    clientId: command.client_order_id ?? null,
    symbol: held.symbol,
    side: held.quantity.n > 0n ? 'sell' : 'buy',
    type: 'market',
    timeInForce: 'ioc',
    price: null,
    stop: null,
    trailing: null,
    quantity: command.quantity === undefined ? abs(held.quantity) : dec(command.quantity),
    filled: ZERO,
    reduceOnly: true,
    postOnly: false,
    expiresAt: null,
    createdAt: turn.at,
    arrivesAt: null,
    ahead: null,
    bracket: null,
    parent: null,
    oco: null,
    position: compiled.hedging ? held.id : null,
  }
  const off = command.quantity === undefined ? null : checkStep(order.quantity, market)
  return off ?? submit(turn, [order], market)
}
