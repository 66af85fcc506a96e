import type { Cached } from '@assay/core/kernel/cached'

/** Tiers on sale, kept for a while; what this process changes it sees at once, other replicas when their time is over. */
export interface TierCache {
  load<T>(tenant: string, key: unknown, load: () => Promise<T>): Promise<T>
  changed(tenant: string): void
}
export function tierCache(cached: Cached): TierCache {
  const changes = new Map<string, number>()
  return {
    load: (tenant, key, load) => cached(`${tenant}:${changes.get(tenant) ?? 0}:${JSON.stringify(key)}`, load),
    changed: (tenant) => void changes.set(tenant, (changes.get(tenant) ?? 0) + 1),
  }
}
