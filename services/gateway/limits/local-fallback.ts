import { AssayError } from '@assay/core/contracts/errors'
import type { Limit, Limits } from '@assay/core/ports/limits/port'

/**
 * The shared limits; while they are away each replica counts for itself and grants its part of every limit. For requests
 * only: what guards a password must not be counted anew in every process.
 */
export function withLocalFallback(shared: Limits, local: Limits): Pick<Limits, 'take'> {
  const partOf = (limit: Limit): Limit => ({
    ...limit,
    points: Math.max(1, Math.floor(limit.points / shared.replicas())),
  })
  return {
    take(client, limits) {
      const taken = shared.take(client, limits)
      if (!(taken instanceof Promise)) return taken
      return taken.catch((error) => {
        if (!(error instanceof AssayError) || error.code !== 'unavailable') throw error
        return local.take(client, limits.map(partOf))
      })
    },
  }
}
