import type { AccountState } from '@assay/core/domain/engine/state'
import type { Command, OrderBody } from '@assay/core/domain/engine/types'
import { abs, dec, gt, isDec, sign } from '@assay/core/domain/money/dec'

/** Whether a command could add exposure: an order that is not wholly against the position, or one that grows. */
export function increasesRisk(state: AccountState, command: Command): boolean {
  switch (command.op) {
    case 'start':
    case 'create':
      return true
    case 'amend':
      return command.quantity !== undefined
    case 'order':
      return adds(state, command)
    default:
      return false
  }
}

function adds(state: AccountState, order: OrderBody): boolean {
  if (order.reduce_only || order.position !== undefined) return false
  // one symbol may have several tickets: only what stands on one side of it can be reduced
  const held = state.book.positions.filter((p) => p.symbol === order.symbol)
  const against = held.find((p) => sign(p.quantity) > 0 === (order.side === 'sell'))
  if (held.length !== 1 || !against || !isDec(order.quantity)) return true
  return gt(dec(order.quantity), abs(against.quantity))
}
