import { AssayError } from '@assay/core/contracts/errors'
import { FEATURES, type Feature, planOf } from '@assay/core/contracts/plans'
import type { Actor, Ctx } from '@assay/core/kernel/context'
import type { LimitedRequest, RequestGate, RouteClass } from '@assay/core/kernel/limit'
import type { UsageCount } from '../usage/count-usage.ts'
import { clientOf } from './client.ts'
import type { InFlight } from './in-flight.ts'
import type { RequestLimit } from './request-limit.ts'
import type { TenantState, TenantStates } from './tenant-state.ts'

/** Requests without a credential that one address may have under way. */
const ANONYMOUS_AT_ONCE = 64

export interface GateParts {
  /** both absent: RATE_LIMIT_ENABLED=false */
  limit: RequestLimit | undefined
  inFlight: InFlight | undefined
  tenants: TenantStates
  usage: Pick<UsageCount, 'count'>
  /** told of every request, like the gate */
  onLeft: (ctx: Ctx, status: number, routeClass: RouteClass) => void
}

/** What the gateway asks before any route: addresses of the tenant, limits, the plan, how many are under way. */
export function createGate({ limit, inFlight, tenants, usage, onLeft }: GateParts): RequestGate {
  function pass(ctx: Ctx, request: LimitedRequest): void {
    const { actor } = ctx
    if (actor) checkPlan(actor, request.feature)
    if (request.routeClass === 'none') return
    inFlight?.begin(clientOf(ctx), actor ? planOf(actor.plan).concurrent : ANONYMOUS_AT_ONCE)
  }
  function count(ctx: Ctx, request: LimitedRequest, headers: Record<string, string | number>): void | Promise<void> {
    const counting = limit?.(ctx, request, headers)
    if (!counting) return pass(ctx, request)
    return counting.then(() => pass(ctx, request))
  }
  // the actor of a credential that names an older plan, under the one that holds now
  const replanned = new WeakMap<Actor, Actor>()
  function heed({ plan, isDenied }: TenantState, ctx: Ctx): void {
    const actor = ctx.actor!
    if (isDenied?.(ctx.address)) throw new AssayError('forbidden', 'Your tenant does not let this address in.')
    if (plan === null || plan === actor.plan) return
    let now = replanned.get(actor)
    if (now?.plan !== plan) {
      now = { ...actor, plan }
      replanned.set(actor, now)
    }
    ctx.actor = now
  }
  return {
    enter(ctx, request, headers) {
      if (!ctx.actor) return count(ctx, request, headers)
      const state = tenants.of(ctx.actor.tenant)
      if (state instanceof Promise)
        return state.then((read) => {
          heed(read, ctx)
          return count(ctx, request, headers)
        })
      heed(state, ctx)
      return count(ctx, request, headers)
    },
    left(ctx, request, { status, ms, entered }) {
      if (entered && request.routeClass !== 'none') inFlight?.end(clientOf(ctx))
      usage.count(ctx.actor, request.routeClass, status, ms)
      onLeft(ctx, status, request.routeClass)
    },
  }
}

/** Said after the limits: who asks for what the plan lacks pays for asking. */
function checkPlan({ plan, keyId }: Actor, feature: Feature | undefined): void {
  const features: readonly Feature[] = planOf(plan).features
  const isLacking = (needed: Feature | undefined) => needed !== undefined && !features.includes(needed)
  const lacking = keyId !== undefined && isLacking('api_keys') ? 'api_keys' : isLacking(feature) && feature
  if (lacking) throw new AssayError('plan_required', `The plan ${plan} of your tenant has no ${FEATURES[lacking]}.`)
}
