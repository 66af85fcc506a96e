import type { Decision, Limit } from './port.ts'

/** What one request comes to when `used` ms of the window are used up before it. */
export function decide({ points, windowMs }: Limit, used: number): Decision {
  const interval = windowMs / points
  const wait = used + interval - windowMs
  // floats: a window of 3 x 1/3 must not leave a client 1e-12 ms short
  const allowed = wait <= 1e-6
  const after = allowed ? used + interval : used
  return {
    allowed,
    remaining: Math.max(0, Math.floor((windowMs - after) / interval + 1e-6)),
    retryAfterMs: allowed ? 0 : wait,
    resetMs: after,
  }
}

/**
 * The generic cell rate algorithm over a map: one number per client (the theoretical arrival time of its next
 * request), exact waiting times, no timers. A client is forgotten when its time lies in the past, which changes nothing.
 */
export class Gcra {
  readonly #arrivals = new Map<string, number>()
  #sweep: Iterator<[string, number]> = this.#arrivals.entries()

  constructor(readonly maxClients = 100_000) {}

  get size(): number {
    return this.#arrivals.size
  }

  /** Counts one request of the client under the limit; a refused one costs nothing. */
  take(client: string, limit: Limit, nowMs: number): Decision {
    const used = Math.max((this.#arrivals.get(client) ?? 0) - nowMs, 0)
    const decision = decide(limit, used)
    if (decision.allowed) this.#put(client, nowMs + decision.resetMs, nowMs)
    return decision
  }

  /** Takes one request back: it turned out not to count. */
  refund(client: string, limit: Limit): void {
    const arrival = this.#arrivals.get(client)
    if (arrival !== undefined) this.#arrivals.set(client, arrival - limit.windowMs / limit.points)
  }

  forget(client: string): void {
    this.#arrivals.delete(client)
  }

  #put(client: string, arrival: number, nowMs: number): void {
    this.#arrivals.set(client, arrival)
    this.#dropIdle(nowMs)
    if (this.#arrivals.size > this.maxClients) this.#arrivals.delete(this.#arrivals.keys().next().value!)
  }

  /** Looks at two clients per request, so the whole map is swept in the time half of it was written. */
  #dropIdle(nowMs: number): void {
    for (let i = 0; i < 2; i++) {
      const next = this.#sweep.next()
      if (next.done) {
        this.#sweep = this.#arrivals.entries()
        return
      }
      if (next.value[1] <= nowMs) this.#arrivals.delete(next.value[0])
    }
  }
}
