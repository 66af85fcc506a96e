import type { Row } from '@assay/core/ports/db/port'
import { LATENCY_BOUNDS_MS } from './count-usage.ts'
import type { Usage } from './schemas.ts'

export interface UsageRow extends Row {
  day: string
  tenant: string
  user_id: string
  key_id: string
  route_class: string
  /** numbers of the database come as text where they may be larger than ours */
  requests: string
  errors: string
  limited: string
  ms_total: number
  ms_max: number
  ms_5: string
  ms_25: string
  ms_100: string
  ms_500: string
  ms_2500: string
  ms_more: string
}
export const USAGE_COLUMNS = `day::text as day, tenant, user_id, key_id, route_class, requests, errors, limited, ms_total,
  ms_max, ms_5, ms_25, ms_100, ms_500, ms_2500, ms_more`

export function toUsage(row: UsageRow): Usage {
  const requests = Number(row.requests)
  const buckets = [row.ms_5, row.ms_25, row.ms_100, row.ms_500, row.ms_2500, row.ms_more].map(Number)
  const max = rounded(row.ms_max)
  const below = (share: number) => Math.min(max, boundOf(buckets, requests * share))
  return {
    day: row.day,
    tenant: row.tenant || null,
    user_id: row.user_id || null,
    key_id: row.key_id || null,
    class: row.route_class,
    requests,
    errors: Number(row.errors),
    limited: Number(row.limited),
    latency: {
      mean_ms: requests === 0 ? 0 : rounded(row.ms_total / requests),
      max_ms: max,
      p50_ms: below(0.5),
      p95_ms: below(0.95),
      p99_ms: below(0.99),
    },
  }
}

/** The bound of the bucket in which that rank lies; the last bucket has none. */
function boundOf(buckets: readonly number[], rank: number): number {
  let below = 0
  for (const [at, bound] of LATENCY_BOUNDS_MS.entries()) {
    below += buckets[at]!
    if (below >= rank) return bound
  }
  return Number.POSITIVE_INFINITY
}
const rounded = (ms: number): number => Math.round(ms * 100) / 100
