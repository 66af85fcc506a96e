import type { Hub } from './hub.ts'

/** One pass over the connections: ends those whose token or patience is over, pings the quiet ones, frees the stuck. */
export function sweep(hub: Hub): void {
  const wall = hub.clock.now()
  const now = hub.clock.monotonic()
  for (const connection of hub.connections) {
    const { expiresAt } = connection.caller.actor
    if (expiresAt !== undefined && expiresAt <= wall) connection.end('expired')
    else if (now - connection.heardAt > hub.limits.silenceMs) connection.end('silent')
    else {
      if (now - connection.pingedAt >= hub.limits.pingEveryMs) connection.sendPing()
      connection.drain()
    }
  }
}
