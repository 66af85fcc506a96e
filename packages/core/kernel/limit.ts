import type { Ctx } from './context.ts'

/** What a route is counted as: `orders` places or cancels orders, `default` is everything else; `none` (health, metrics, documents) is not counted. */
export type RouteClass = 'default' | 'orders' | 'none'

export interface LimitedRequest {
  routeClass: RouteClass
  /** GET or HEAD */
  read: boolean
}

/**
 * Counts one request of the context's client, once identity is known and before the handler. Writes RateLimit and
 * RateLimit-Policy (and Retry-After) to the response headers; throws AssayError rate_limited when it is one too many.
 * A promise where the count is kept by a server.
 */
export type RequestLimit = (
  ctx: Ctx,
  request: LimitedRequest,
  headers: Record<string, string | number>,
) => void | Promise<void>
