import type { ErrorCode } from '../contracts/errors.ts'
import type { CountedClass, Feature } from '../contracts/plans.ts'
import type { Ctx } from './context.ts'

/** What a route is counted as; `none` (health, metrics, documents) is not counted. */
export type RouteClass = CountedClass | 'none'

export interface LimitedRequest {
  routeClass: RouteClass
  /** GET or HEAD */
  read: boolean
  /** a plan must have it */
  feature?: Feature
}
/** How a request ended. */
export interface Left {
  status: number
  ms: number
  /** of the problem that it was answered with */
  code: ErrorCode | undefined
  /** `enter` let it in; what was refused before, as by a redirect or a wrong credential, never asked */
  entered: boolean
}

/** What stands before the routes of the public face, once it is known who asks. The gateway's; services have none. */
export interface RequestGate {
  /**
   * Lets one request in, or throws: AssayError forbidden, plan_required or rate_limited. Writes RateLimit and
   * RateLimit-Policy (and Retry-After) to the response headers. A promise where a count is kept by a server.
   */
  enter(ctx: Ctx, request: LimitedRequest, headers: Record<string, string | number>): void | Promise<void>
  /** told once of every request that came in, when it has its answer: cheap, and does not throw */
  left(ctx: Ctx, request: LimitedRequest, how: Left): void
}
