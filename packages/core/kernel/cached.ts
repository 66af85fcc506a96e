import { Counter, type Registry } from 'prom-client'
import type { Cache } from '../ports/cache/port.ts'

export type CacheOutcome = 'hit' | 'miss'
const METRIC = 'cache_requests_total'

/** Counts what a cache was asked, by its name; several services share the one metric. */
export function countCache(registry: Registry, name: string): (outcome: CacheOutcome) => void {
  const counter =
    (registry.getSingleMetric(METRIC) as Counter<'name' | 'outcome'> | undefined) ??
    new Counter({ name: METRIC, help: 'Caches asked.', labelNames: ['name', 'outcome'], registers: [registry] })
  return (outcome) => counter.inc({ name, outcome })
}

/** What a loader gave for a key, until its time is over; one loader per key at a time. */
export type Cached = <T>(key: string, loader: () => Promise<T>) => Promise<T>

export function cachedBy(cache: Cache, registry: Registry, { name, ttlMs }: { name: string; ttlMs: number }): Cached {
  const count = countCache(registry, name)
  return async (key, loader) => {
    let outcome: CacheOutcome = 'hit'
    const value = await cache.load(`${name}:${key}`, ttlMs, () => {
      outcome = 'miss'
      return loader()
    })
    count(outcome)
    return value
  }
}
