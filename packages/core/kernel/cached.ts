import { Counter, type Registry } from 'prom-client'
import type { Cache } from '../ports/cache/port.ts'

export type CacheOutcome = 'hit' | 'miss'

type Asked = Record<CacheOutcome, number>
/** Plain numbers: some caches are asked with every request. */
const asked = new WeakMap<Registry, Map<string, Asked>>()

/** Counts what a cache was asked, by its name; several services share the one metric. */
export function countCache(registry: Registry, name: string): (outcome: CacheOutcome) => void {
  const caches = asked.get(registry) ?? tellAsked(registry)
  const own = caches.get(name) ?? { hit: 0, miss: 0 }
  caches.set(name, own)
  return (outcome) => void own[outcome]++
}

/** Of credentials: whether a process remembers them or asks for each. */
export function countAsked(registry: Registry): (cache: 'keys' | 'sessions', outcome: CacheOutcome) => void {
  const count = { keys: countCache(registry, 'keys'), sessions: countCache(registry, 'sessions') }
  return (cache, outcome) => count[cache](outcome)
}

function tellAsked(registry: Registry): Map<string, Asked> {
  const caches = new Map<string, Asked>()
  asked.set(registry, caches)
  new Counter({
    name: 'cache_requests_total',
    help: 'Caches asked.',
    labelNames: ['name', 'outcome'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [name, { hit, miss }] of caches) {
        if (hit > 0) this.inc({ name, outcome: 'hit' }, hit)
        if (miss > 0) this.inc({ name, outcome: 'miss' }, miss)
      }
    },
  })
  return caches
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
