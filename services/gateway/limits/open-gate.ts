import type { Ctx } from '@assay/core/kernel/context'
import type { RequestGate, RouteClass } from '@assay/core/kernel/limit'
import type { Deps } from '@assay/core/kernel/service'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import { Counter, Gauge } from 'prom-client'
import type { AuthDatabase } from '../auth/database.ts'
import type { Config } from '../config.ts'
import { createUsageCount } from '../usage/count-usage.ts'
import { createUsageFlush } from '../usage/flush-usage.ts'
import { createGate } from './gate.ts'
import { createInFlight } from './in-flight.ts'
import { withLocalFallback } from './local-fallback.ts'
import { createRequestLimit } from './request-limit.ts'
import { createTenantStates } from './tenant-state.ts'

export interface GateWiring {
  database: AuthDatabase
  /** told the name of each limit that was hit */
  onLimitHit: (name: string) => void
  /** told of every request when it has its answer */
  onLeft: (ctx: Ctx, status: number, routeClass: RouteClass) => void
}
export interface OpenGate {
  gate: RequestGate
  /** writes what was counted */
  flushUsage: () => Promise<void>
  /** removes usage of days long past */
  sweepUsage: () => Promise<void>
}
const DAY_MS = 86_400_000
const USAGE_KEPT_MS = 400 * DAY_MS

/** Limits, plans, address lists and usage, on the platform's ports. */
export function openGate(deps: Deps<Config>, { database, onLimitHit, onLeft }: GateWiring): OpenGate {
  const { clock, config, limiter, metrics } = deps
  const dropped = new Counter({
    name: 'usage_dropped_total',
    help: 'Requests that GET /api/usage lacks: too many clients, or no database for too long',
    registers: [metrics],
  })
  const usage = createUsageCount({ clock, onDropped: (requests) => dropped.inc(requests) })
  const inFlight = createInFlight(onLimitHit)
  new Gauge({
    name: 'clients_in_flight',
    help: 'Clients that wait for an answer',
    registers: [metrics],
    collect() {
      this.set(inFlight.clients)
    },
  })
  const limit = config.RATE_LIMIT_ENABLED
    ? createRequestLimit({
        limits: withLocalFallback(limiter, createMemoryLimits(clock)),
        strict: limiter,
        perMinute: config.RATE_LIMIT_PER_MINUTE,
        anonymousPerHour: config.RATE_LIMIT_PER_HOUR,
        anonymousPerDay: config.RATE_LIMIT_PER_DAY,
        onHit: onLimitHit,
      })
    : undefined
  const tenants = createTenantStates({ database, clock })
  return {
    gate: createGate({ limit, inFlight: limit && inFlight, tenants, usage, onLeft }),
    flushUsage: createUsageFlush(usage, database),
    async sweepUsage() {
      await database.query('delete from usage where day < $1::date', [new Date(clock.now() - USAGE_KEPT_MS)])
    },
  }
}
