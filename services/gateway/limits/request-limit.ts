import { AssayError } from '@assay/core/contracts/errors'
import type { Actor } from '@assay/core/kernel/context'
import type { RequestLimit, RouteClass } from '@assay/core/kernel/limit'
import type { Clock } from '@assay/core/ports/clock/port'
import { clientOf } from './client.ts'
import { type Decision, Gcra, type Limit } from './gcra.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** A bot's own pace; a key may be given another. */
export const KEY_ORDERS_PER_SECOND = 100

export interface RequestLimitOptions {
  clock: Clock
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
  const { clock, onHit } = options
  const gcra = new Gcra()
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

  return (ctx, { routeClass, read }, headers) => {
    if (routeClass === 'none') return
    const limits = limitsFor(ctx.actor, routeClass, read)
    const client = clientOf(ctx)
    const now = clock.monotonic()
    let refused: { limit: Limit; decision: Decision } | undefined
    let policies = ''
    let states = ''
    for (const limit of limits) {
      const decision = gcra.take(`${limit.name} ${client}`, limit, now)
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
}
