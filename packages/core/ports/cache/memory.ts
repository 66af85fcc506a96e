import type { Clock } from '../clock/port.ts'
import type { Cache } from './port.ts'

interface Entry {
  json: string
  /** monotonic ms */
  until: number
}

/** The cache of one process: at most `capacity` entries, the longest unused goes first. */
export function createMemoryCache(clock: Clock, capacity = 100_000): Cache {
  const entries = new Map<string, Entry>()
  const loading = new Map<string, Promise<unknown>>()

  const live = (key: string): Entry | undefined => {
    const entry = entries.get(key)
    if (entry === undefined || entry.until > clock.monotonic()) return entry
    entries.delete(key)
    return undefined
  }
  const read = <T>(key: string): T | null => {
    const entry = live(key)
    if (!entry) return null
    entries.delete(key)
    entries.set(key, entry)
    return JSON.parse(entry.json) as T
  }
  const write = (key: string, value: unknown, ttlMs: number): void => {
    entries.delete(key)
    entries.set(key, { json: JSON.stringify(value), until: clock.monotonic() + ttlMs })
    if (entries.size > capacity) entries.delete(entries.keys().next().value!)
  }
  const loadAndKeep = async <T>(key: string, ttlMs: number, loader: () => Promise<T>): Promise<T> => {
    try {
      const value = await loader()
      write(key, value, ttlMs)
      return value
    } finally {
      loading.delete(key)
    }
  }

  return {
    get: async (key) => read(key),
    set: async (key, value, ttlMs) => write(key, value, ttlMs),
    async add(key, value, ttlMs) {
      if (live(key)) return false
      write(key, value, ttlMs)
      return true
    },
    async take<T>(key: string) {
      const value = read<T>(key)
      entries.delete(key)
      return value
    },
    async delete(key) {
      entries.delete(key)
    },
    async load<T>(key: string, ttlMs: number, loader: () => Promise<T>) {
      const known = read<T>(key)
      if (known !== null) return known
      const running = loading.get(key) ?? loadAndKeep(key, ttlMs, loader)
      loading.set(key, running)
      return running as Promise<T>
    },
    async close() {
      entries.clear()
    },
  }
}
