import { AssayError } from '@assay/core/contracts/errors'
import { COUNTED_CLASSES, type CountedClass, type Plan, planOf } from '@assay/core/contracts/plans'
import type { Actor, Ctx } from '@assay/core/kernel/context'
import type { LimitedRequest } from '@assay/core/kernel/limit'
import type { Decision, Limit, Limits } from '@assay/core/ports/limits/port'
import { clientOf } from './client.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

type Headers = Record<string, string | number>
/** Of one client in each class, and of its tenant where the plan has a quota. */
interface Bounds {
  client: string
  own: Record<CountedClass, readonly Limit[]>
  tenant: string
  quota: Partial<Record<CountedClass, readonly Limit[]>>
}

export interface RequestLimitOptions {
  limits: Pick<Limits, 'take'>
  /** where money moves: asked instead of `limits`, and nobody gets by while it is away */
  strict: Pick<Limits, 'take'>
  perMinute: number
  anonymousPerHour: number
  anonymousPerDay: number
  /** told the name of the limit that was hit */
  onHit: (name: string) => void
}
export type RequestLimit = (ctx: Ctx, request: LimitedRequest, headers: Headers) => void | Promise<void>

/**
 * Every client has its points per minute in each route class, by the plan of its tenant; an API key its own limits; reads
 * without a credential also count per hour and day, and all clients of a tenant together to its plan's quota. Each limit
 * that applies must allow the request.
 */
export function createRequestLimit(options: RequestLimitOptions): RequestLimit {
  const { onHit, perMinute } = options
  const nobody = boundsOf({ client: '', tenant: '' }, planOf('standard'))
  const anonymousRead: Limit[] = [
    ...nobody.own.default,
    { name: 'anonymous-hour', points: options.anonymousPerHour, windowMs: HOUR },
    { name: 'anonymous-day', points: options.anonymousPerDay, windowMs: DAY },
  ]
  // an actor is one object as long as its credential is remembered
  const known = new WeakMap<Actor, Bounds>()

  function boundsOf({ client, tenant }: { client: string; tenant: string }, plan: Plan, key?: Actor): Bounds {
    const rateOf = (name: CountedClass): Limit => {
      if (key && name === 'orders') {
        const points = key.limits?.ordersPerSecond ?? plan.keyOrdersPerSecond
        return { name, points, windowMs: SECOND }
      }
      const points = key?.limits?.requestsPerMinute ?? perMinute * (plan.rate[name] ?? 1)
      return { name, points, windowMs: MINUTE }
    }
    const own = {} as Bounds['own']
    const quota: Bounds['quota'] = {}
    for (const name of COUNTED_CLASSES) {
      own[name] = [rateOf(name)]
      const points = plan.perDay[name]
      if (points !== undefined) quota[name] = [{ name: `plan-${name}`, points, windowMs: DAY }]
    }
    return { client, own, tenant: `t:${tenant}`, quota }
  }

  function boundsOfActor(ctx: Ctx, actor: Actor): Bounds {
    let bounds = known.get(actor)
    if (!bounds) {
      const names = { client: clientOf(ctx), tenant: actor.tenant }
      bounds = boundsOf(names, planOf(actor.plan), actor.keyId === undefined ? undefined : actor)
      known.set(actor, bounds)
    }
    return bounds
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
    headers['ratelimit-policy'] = headers['ratelimit-policy'] ? `${headers['ratelimit-policy']}, ${policies}` : policies
    headers.ratelimit = headers.ratelimit ? `${headers.ratelimit}, ${states}` : states
    if (!refused) return
    const retryAfterS = Math.max(1, Math.ceil(refused.decision.retryAfterMs / SECOND))
    headers['retry-after'] = retryAfterS
    onHit(refused.limit.name)
    throw new AssayError('rate_limited', `Past the limit "${refused.limit.name}" of this client.`, { retryAfterS })
  }

  function take(
    by: Pick<Limits, 'take'>,
    who: string,
    limits: readonly Limit[],
    headers: Headers,
  ): void | Promise<void> {
    const decisions = by.take(who, limits)
    if (!(decisions instanceof Promise)) return answer(limits, decisions, headers)
    return decisions.then((decided) => answer(limits, decided, headers))
  }

  return (ctx, { routeClass, read }, headers) => {
    if (routeClass === 'none') return
    const by = routeClass === 'payments' ? options.strict : options.limits
    const { actor } = ctx
    if (!actor) return take(by, clientOf(ctx), read ? anonymousRead : nobody.own[routeClass], headers)
    const bounds = boundsOfActor(ctx, actor)
    const taken = take(by, bounds.client, bounds.own[routeClass], headers)
    const quota = bounds.quota[routeClass]
    if (!quota) return taken
    return taken ? taken.then(() => take(by, bounds.tenant, quota, headers)) : take(by, bounds.tenant, quota, headers)
  }
}
