import type { Desk } from './account.ts'
import { DAY } from './clocks.ts'
import { endOrder } from './working.ts'

export function resume(desk: Desk, reason?: string): void {
  const { account, at } = desk
  const { pauses } = account
  pauses.total += at - pauses.since!
  for (const state of account.rules) {
    if (state.left !== null) state.due = at + state.left
    state.left = null
  }
  pauses.since = null
  pauses.until = null
  account.status = 'started'
  desk.said.push({ kind: 'pause', phase: account.phase, paused: false, count: pauses.count, reason })
}
export function pause(desk: Desk): void {
  const { account, at } = desk
  const { pauses, spec } = account
  for (const order of [...account.orders]) endOrder(desk, order, 'cancelled')
  account.status = 'paused'
  pauses.count += 1
  pauses.since = at
  pauses.until = at + spec.max_pause_days * DAY - pauses.total
  for (const state of account.rules) {
    if (state.due !== null) state.left = state.due - at
    state.due = null
  }
  desk.said.push({ kind: 'pause', phase: account.phase, paused: true, count: pauses.count })
}
