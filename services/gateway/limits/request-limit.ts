import { AssayError } from '@assay/core/contracts/errors'
import { COUNTED_CLASSES, type CountedClass, PLANS, type Plan, planOf } from '@assay/core/contracts/plans'
import type { Actor, Ctx } from '@assay/core/kernel/context'
import type { LimitedRequest } from '@assay/core/kernel/limit'
import type { Decision, Limit, Limits } from '@assay/core/ports/limits/port'
import { clientOf } from './client.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

type Headers = Record<string, string | number>
/** Of a client in each class, and of its tenant where the plan has a quota. */
interface Rules {
  own: Record<CountedClass, readonly Limit[]>
  quota: Partial<Record<CountedClass, readonly Limit[]>>
}
interface Bounds {
  client: string
  tenant: string
  rules: Rules
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
  const ofPlan = new Map<string, Rules>()
  const nobody = rulesOf(planOf('standard'))
  const anonymousRead: Limit[] = [
    ...nobody.own.default,
    { name: 'anonymous-hour', points: options.anonymousPerHour, windowMs: HOUR },
    { name: 'anonymous-day', points: options.anonymousPerDay, windowMs: DAY },
  ]
  const policyTexts = new WeakMap<readonly Limit[], string>()
  // an actor is one object as long as its credential is remembered
  const known = new WeakMap<Actor, Bounds>()

  function rulesOf(plan: Plan, key?: Actor): Rules {
    const rateOf = (name: CountedClass): Limit => {
      if (key && name === 'orders') {
        return { name, points: key.limits?.ordersPerSecond ?? plan.keyOrdersPerSecond, windowMs: SECOND }
      }
      const points = key?.limits?.requestsPerMinute ?? perMinute * (plan.rate[name] ?? 1)
      return { name, points, windowMs: MINUTE }
    }
    const own = {} as Rules['own']
    const quota: Rules['quota'] = {}
    for (const name of COUNTED_CLASSES) {
      own[name] = [rateOf(name)]
      const points = plan.perDay[name]
      if (points !== undefined) quota[name] = [{ name: `plan-${name}`, points, windowMs: DAY }]
    }
    return { own, quota }
  }

  /** Kept by plan; only a key with limits of its own has rules of its own. */
  function rulesOfActor(actor: Actor): Rules {
    const { requestsPerMinute, ordersPerSecond } = actor.limits ?? {}
    const key = actor.keyId === undefined ? undefined : actor
    if (requestsPerMinute !== undefined || ordersPerSecond !== undefined) return rulesOf(planOf(actor.plan), key)
    const plan = Object.hasOwn(PLANS, actor.plan) ? actor.plan : 'unknown'
    const name = `${plan} ${key ? 'key' : 'user'}`
    const rules = ofPlan.get(name) ?? rulesOf(planOf(plan), key)
    ofPlan.set(name, rules)
    return rules
  }

  function boundsOfActor(ctx: Ctx, actor: Actor): Bounds {
    let bounds = known.get(actor)
    if (!bounds) {
      bounds = { client: clientOf(ctx), tenant: `t:${actor.tenant}`, rules: rulesOfActor(actor) }
      known.set(actor, bounds)
    }
    return bounds
  }

  /** Kept: the same few lists of limits apply to all requests. */
  function policiesOf(limits: readonly Limit[]): string {
    let text = policyTexts.get(limits)
    if (text === undefined) {
      text = limits.map(({ name, points, windowMs }) => `"${name}";q=${points};w=${windowMs / SECOND}`).join(', ')
      policyTexts.set(limits, text)
    }
    return text
  }

  /** Writes what the limits decided; throws when one of them refuses. */
  function answer(limits: readonly Limit[], decisions: readonly Decision[], headers: Headers): void {
    let refused: { limit: Limit; decision: Decision } | undefined
    let states = ''
    for (let at = 0; at < limits.length; at++) {
      const [limit, decision] = [limits[at]!, decisions[at]!]
      if (decision.retryAfterMs > (refused?.decision.retryAfterMs ?? 0)) refused = { limit, decision }
      if (at > 0) states += ', '
      states += `"${limit.name}";r=${decision.remaining};t=${Math.ceil(decision.resetMs / SECOND)}`
    }
    const policies = policiesOf(limits)
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
    const { client, tenant, rules } = boundsOfActor(ctx, actor)
    const taken = take(by, client, rules.own[routeClass], headers)
    const quota = rules.quota[routeClass]
    if (!quota) return taken
    return taken ? taken.then(() => take(by, tenant, quota, headers)) : take(by, tenant, quota, headers)
  }
}
