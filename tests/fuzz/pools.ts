import type { Operation } from './operations.ts'

interface Entry {
  /** values of the path's parameters down to this one */
  values: string[]
  role: string
}
const KEPT = 300

/**
 * What answers have named, by collection (`/api/assessments/{id}/orders`): what exists is what the next request asks for.
 */
export function createPools(operations: readonly Operation[], reserved: ReadonlySet<string>) {
  const collections = new Set(operations.flatMap(({ path }) => prefixes(path)))
  const pools = new Map<string, Entry[]>()

  function add(collection: string, entry: Entry): void {
    const pool = pools.get(collection) ?? []
    pools.set(collection, pool)
    if (reserved.has(entry.values.at(-1)!) || pool.some((one) => same(one.values, entry.values))) return
    if (pool.length >= KEPT) pool.splice(Math.floor(KEPT / 3), 1)
    pool.push(entry)
  }
  function pool(collection: string, role: string, own: boolean): Entry[] {
    const all = pools.get(collection) ?? []
    const its = own ? all.filter((entry) => entry.role === role) : all
    return its.length > 0 ? its : all
  }

  return {
    add,
    /** what belonged to somebody who is gone */
    forget(role: string): void {
      for (const [name, entries] of pools)
        pools.set(
          name,
          entries.filter((entry) => entry.role !== role),
        )
    },
    /** what an answer to this operation has named */
    learn(
      { path, method }: Operation,
      { values, role, body }: { values: string[]; role: string; body: unknown },
    ): void {
      if (!collections.has(path) || (method !== 'GET' && method !== 'POST')) return
      for (const item of itemsOf(body)) {
        const name = nameOf(item)
        if (name !== undefined) add(path, { values: [...values, name], role })
      }
    },
    /** a value of the collection; the newest are asked for most */
    one(collection: string, { role, own, pick }: { role: string; own: boolean; pick: number }): string | undefined {
      const its = pool(collection, role, own)
      return its[newest(pick, its.length)]?.values.at(-1)
    },
    /** values of all parameters of a path, of things that belong together as far as they are known */
    path({ path, pathNames }: Operation, { role, own, pick }: { role: string; own: boolean; pick: number }): string[] {
      const wanted = prefixes(path)
      for (let depth = wanted.length; depth > 0; depth--) {
        const collection = wanted[depth - 1]!
        const its = pool(aliasOf(collection, pathNames[depth - 1]!, collections), role, own)
        const entry = its[newest(pick, its.length)]
        if (entry && entry.values.length === depth) return fill(entry.values, pathNames.length)
        if (entry) return fill([entry.values.at(-1)!], pathNames.length)
      }
      return fill([], pathNames.length)
    },
  }
}
export type Pools = ReturnType<typeof createPools>

/** The collections on the way to a path: what stands before each parameter. */
const prefixes = (path: string): string[] => [...path.matchAll(/\/\{/g)].map(({ index }) => path.slice(0, index))
const aliasOf = (collection: string, parameter: string, all: ReadonlySet<string>): string =>
  parameter === 'symbol' && all.has('/api/instruments') ? '/api/instruments' : collection
const fill = (values: string[], length: number): string[] =>
  Array.from({ length }, (_, at) => values[at] ?? `absent-${at}`)
const newest = (pick: number, length: number): number => {
  const back = pick % 3 === 0 ? pick % Math.max(1, length) : pick % Math.max(1, Math.min(4, length))
  return length - 1 - back
}
const same = (a: string[], b: string[]): boolean => a.length === b.length && a.every((value, at) => value === b[at])

function itemsOf(body: unknown): Record<string, unknown>[] {
  if (typeof body !== 'object' || body === null) return []
  const { items } = body as { items?: unknown }
  if (Array.isArray(items)) return items.filter((item) => typeof item === 'object' && item !== null)
  const inner = Object.values(body).filter(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  )
  return [body as Record<string, unknown>, ...(inner as Record<string, unknown>[])].slice(0, 2)
}
function nameOf(item: Record<string, unknown>): string | undefined {
  const name = item.id ?? item.symbol ?? item.name ?? item.client_id
  return typeof name === 'string' ? name : undefined
}
