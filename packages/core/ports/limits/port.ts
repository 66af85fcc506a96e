/** `points` in `windowMs`, all at once if the client was idle, then one every windowMs / points. */
export interface Limit {
  /** in the RateLimit headers */
  name: string
  points: number
  windowMs: number
}

export interface Decision {
  allowed: boolean
  /** requests that would be allowed at once now */
  remaining: number
  /** 0 when allowed */
  retryAfterMs: number
  /** until the client is as good as new */
  resetMs: number
}

/**
 * How often clients may do what. Each limit decides for itself; what one refuses costs nothing under it. Kept in memory
 * it answers at once; kept by a server it answers later, and rejects with AssayError unavailable while the server is away.
 */
export interface Limits {
  /** one decision per limit, in their order */
  take(client: string, limits: readonly Limit[]): Decision[] | Promise<Decision[]>
  /** takes one request back: it turned out not to count */
  refund(client: string, limit: Limit): void | Promise<void>
  forget(client: string, limit: Limit): void | Promise<void>
  /** living processes that share these limits, as last seen; at least 1 */
  replicas(): number
  /** why they can't be asked now, or null */
  away(): string | null
  close(): Promise<void>
}
