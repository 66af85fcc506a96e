import { AssayError } from '@assay/core/contracts/errors'

export interface InFlight {
  /** counts a request that begins; throws rate_limited when the client has too many under way */
  begin(client: string, most: number): void
  /** of each that began, once */
  end(client: string): void
  /** clients that have any */
  readonly clients: number
}

/** Requests under way, by client. A client without any is not kept, so the map is bounded by the open connections. */
export function createInFlight(onHit: (name: string) => void): InFlight {
  const counts = new Map<string, number>()
  return {
    begin(client, most) {
      const count = counts.get(client) ?? 0
      if (count >= most) {
        onHit('concurrent')
        throw new AssayError('rate_limited', `At most ${most} requests of one client at once.`, { retryAfterS: 1 })
      }
      counts.set(client, count + 1)
    },
    end(client) {
      const count = counts.get(client) ?? 0
      if (count > 1) counts.set(client, count - 1)
      else counts.delete(client)
    },
    get clients() {
      return counts.size
    },
  }
}
