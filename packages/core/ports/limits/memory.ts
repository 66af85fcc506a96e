import type { Clock } from '../clock/port.ts'
import { Gcra } from './gcra.ts'
import type { Limits } from './port.ts'

/** The limits of one process. */
export function createMemoryLimits(clock: Pick<Clock, 'monotonic'>, maxClients?: number): Limits {
  const gcra = new Gcra(maxClients)
  const keyOf = (client: string, name: string): string => `${name} ${client}`
  return {
    take(client, limits) {
      const now = clock.monotonic()
      return limits.map((limit) => gcra.take(keyOf(client, limit.name), limit, now))
    },
    refund: (client, limit) => gcra.refund(keyOf(client, limit.name), limit),
    forget: (client, limit) => gcra.forget(keyOf(client, limit.name)),
    replicas: () => 1,
    away: () => null,
    async close() {},
  }
}
