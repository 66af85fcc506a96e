import { tickQuarantined } from '@assay/core/contracts/topics/market-data'
import type { Bus } from '@assay/core/ports/bus/port'
import type { Registry } from 'prom-client'
import { Counter } from 'prom-client'
import type { Quarantined } from './quality.ts'

const KEPT = 1000

export interface Quarantine {
  take(bad: Quarantined): void
  /** the newest ones, oldest first */
  recent(): readonly Quarantined[]
}

/** Where refused events go: counted, kept for reading, published. A bus that is down loses the message, never the count. */
export function createQuarantine(bus: Bus, metrics: Registry, warn: (err: unknown) => void): Quarantine {
  const counter = new Counter({
    name: 'market_quarantined_total',
    help: 'Events that quality refused.',
    labelNames: ['source', 'reason'] as const,
    registers: [metrics],
  })
  const ring: Quarantined[] = []
  return {
    take(bad) {
      counter.inc({ source: bad.source, reason: bad.reason })
      ring.push(bad)
      if (ring.length > KEPT) ring.shift()
      const { symbol, venue, ts, pos } = bad.tick
      bus
        .publish(tickQuarantined, symbol, {
          symbol,
          venue,
          ts,
          pos,
          reason: `${bad.reason}: ${bad.detail}`,
          tick: JSON.parse(JSON.stringify(bad.tick)),
        })
        .catch(warn)
    },
    recent: () => ring,
  }
}
