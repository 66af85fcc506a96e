import { AssayError } from '@assay/core/contracts/errors'
import type { Actor } from '@assay/core/kernel/context'
import type { RequestLimit, RouteClass } from '@assay/core/kernel/limit'
import type { Decision, Limit, Limits } from '@assay/core/ports/limits/port'
import { clientOf } from './client.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** A bot's own pace; a key may be given another. */
export const KEY_ORDERS_PER_SECOND = 100

type Headers = Record<string, string | number>

export interface RequestLimitOptions {
  limits: Pick<Limits, 'take'>
  perMinute: number
  anonymousPerHour: number
  anonymousPerDay: number
  /** told the name of the limit that was hit */
  onHit: (name: string) => void
}

/**
 * Every client has its points per minute in each route class; reads without a credential also per hour and day; an API
 * key its own limits. Each limit that applies must allow the request.
 */
export function createRequestLimit(options: RequestLimitOptions): RequestLimit {
  const { onHit } = options
  const everybody: Record<'default' | 'orders', Limit[]> = {
    default: [{ name: 'default', points: options.perMinute, windowMs: MINUTE }],
    orders: [{ name: 'orders', points: options.perMinute, windowMs: MINUTE }],
  }
  const anonymousRead: Limit[] = [
    ...everybody.default,
    { name: 'anonymous-hour', points: options.anonymousPerHour, windowMs: HOUR },
    { name: 'anonymous-day', points: options.anonymousPerDay, windowMs: 24 * HOUR },
  ]
  // an actor is one object as long as its credential is remembered
  const ofKey = new WeakMap<Actor, Record<'default' | 'orders', Limit[]>>()

  function limitsOfKey(actor: Actor): Record<'default' | 'orders', Limit[]> {
    const known = ofKey.get(actor)
    if (known) return known
    const { requestsPerMinute = options.perMinute, ordersPerSecond = KEY_ORDERS_PER_SECOND } = actor.limits ?? {}
    const own = {
      default: [{ name: 'default', points: requestsPerMinute, windowMs: MINUTE }],
      orders: [{ name: 'orders', points: ordersPerSecond, windowMs: SECOND }],
    }
    ofKey.set(actor, own)
    return own
  }

  function limitsFor(actor: Actor | null, routeClass: Exclude<RouteClass, 'none'>, read: boolean): Limit[] {
    if (actor?.keyId) return limitsOfKey(actor)[routeClass]
    return actor || !read ? everybody[routeClass] : anonymousRead
  }

  /** Writes what the limits decided; throws when one of them refuses. */
  function answer(limits: readonly Limit[], decisions: readonly Decision[], headers: Headers): void {
    let refused: { limit: Limit; decision: Decision } | undefined
    let policies = ''
    let states = ''
    for (const [index, limit] of limits.entries()) {
      const decision = decisions[index]!
      if (!decision.allowed) refused ??= { limit, decision }
      policies += `${policies && ', '}"${limit.name}";q=${limit.points};w=${limit.windowMs / SECOND}`
      states += `${states && ', '}"${limit.name}";r=${decision.remaining};t=${Math.ceil(decision.resetMs / SECOND)}`
    }
    headers['ratelimit-policy'] = policies
    headers.ratelimit = states
    if (!refused) return
    const retryAfterS = Math.max(1, Math.ceil(refused.decision.retryAfterMs / SECOND))
    headers['retry-after'] = retryAfterS
    onHit(refused.limit.name)
    throw new AssayError('rate_limited', `Past the limit "${refused.limit.name}" of this client.`, { retryAfterS })
  }

  return (ctx, { routeClass, read }, headers) => {
    if (routeClass === 'none') return
    const limits = limitsFor(ctx.actor, routeClass, read)
    const decisions = options.limits.take(clientOf(ctx), limits)
    if (!(decisions instanceof Promise)) return answer(limits, decisions, headers)
    return decisions.then((decided) => answer(limits, decided, headers))
  }
}
