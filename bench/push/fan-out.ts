/** A server that spreads ticks to clients: ours, a peer, or the whole platform from its market log. */
export interface FanOut {
  name: string
  port: number
  path: string
  /** Sec-WebSocket-Protocol of client `n`, if the server wants one */
  protocol: (client: number) => string | null
  /** what a client sends to get the ticks */
  hello: string | null
  /** where a message carries the time that its tick was due; unset: `"at":`, ms */
  stamp?: { field: string; perMs: number }
  /** one tick of `symbol`; every client gets a message that has `at` (epoch, ms) in it */
  publish(symbol: number, at: number): void
  /** messages that slow clients did not get because newer ones took their place, or that were skipped */
  skipped(): number | Promise<number>
  stop(): Promise<void>
}
export const SYMBOLS = 10
