import { AssayError } from '@assay/core/contracts/errors'
import type { Hub } from '../push/hub.ts'

/** Counts a connection before it opens. Throws rate_limited when the user has as many as allowed, unavailable when the process has. */
export function takeSeat(hub: Hub, userId: string): void {
  const { connectionsPerUser, connections } = hub.limits
  if (hub.draining) throw new AssayError('unavailable', 'The server is closing.', { retryAfterS: 1 })
  if (hub.connections.size >= connections)
    throw new AssayError('unavailable', 'The server is full.', { retryAfterS: 5 })
  const taken = hub.seats.get(userId) ?? 0
  if (taken >= connectionsPerUser) {
    throw new AssayError('rate_limited', `A user holds at most ${connectionsPerUser} connections.`, { retryAfterS: 5 })
  }
  hub.seats.set(userId, taken + 1)
}
export function leaveSeat(hub: Hub, userId: string): void {
  const left = (hub.seats.get(userId) ?? 1) - 1
  if (left > 0) hub.seats.set(userId, left)
  else hub.seats.delete(userId)
}
