import type { Clock } from '../clock/port.ts'
import { Gcra } from './gcra.ts'
import type { Limits } from './port.ts'

/**
 * The limits of one process. Each limit has clients of its own, so many at most: who comes from ever new addresses makes
 * nobody's failed logins forgotten.
 */
export function createMemoryLimits(clock: Pick<Clock, 'monotonic'>, maxClients?: number): Limits {
  const byName = new Map<string, Gcra>()
  const of = (name: string): Gcra => {
    let gcra = byName.get(name)
    if (!gcra) {
      gcra = new Gcra(maxClients)
      byName.set(name, gcra)
    }
    return gcra
  }
  return {
    take(client, limits) {
      const now = clock.monotonic()
      return limits.map((limit) => of(limit.name).take(client, limit, now))
    },
    refund: (client, limit) => of(limit.name).refund(client, limit),
    forget: (client, limit) => of(limit.name).forget(client),
    replicas: () => 1,
    away: () => null,
    async close() {},
  }
}
