import type { AccountState } from '@assay/core/domain/engine/state'
import type { Command } from '@assay/core/domain/engine/types'
import { abs, dec, gt, isDec, sign } from '@assay/core/domain/money/dec'

/** Whether a command could add exposure: an order that is not wholly against the position. */
export function increasesRisk(state: AccountState, command: Command): boolean {
  if (command.op === 'start' || command.op === 'create') return true
  if (command.op !== 'order') return false
  const position = state.book.positions.find((p) => p.symbol === command.symbol)
  if (!position || !isDec(command.quantity)) return true
  const against = sign(position.quantity) > 0 === (command.side === 'sell')
  return !against || gt(dec(command.quantity), abs(position.quantity))
}
