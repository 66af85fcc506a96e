import { AssayError } from '@assay/core/contracts/errors'
import type { Seat } from '@assay/core/ports/presence/port'
import type { Hub } from '../push/hub.ts'

/** Counts a connection before it opens. Throws rate_limited when the user has as many as allowed, on all replicas together; unavailable when this process has. */
export async function takeSeat(hub: Hub, userId: string): Promise<Seat> {
  const { connectionsPerUser } = hub.limits
  checkOpen(hub)
  const seat = await hub.presence.enter(userId, connectionsPerUser)
  if (!seat) {
    throw new AssayError('rate_limited', `A user holds at most ${connectionsPerUser} connections.`, { retryAfterS: 5 })
  }
  try {
    // others came, or the process began to end, while the seats were counted
    checkOpen(hub)
  } catch (error) {
    void seat.leave()
    throw error
  }
  return seat
}
function checkOpen({ draining, connections, limits }: Hub): void {
  if (draining) throw new AssayError('unavailable', 'The server is closing.', { retryAfterS: 1 })
  if (connections.size >= limits.connections)
    throw new AssayError('unavailable', 'The server is full.', { retryAfterS: 5 })
}
