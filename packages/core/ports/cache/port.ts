/** Short-lived values, counters and single-use tokens. Values are JSON. Every entry has a time to live. */
export interface Cache {
  get<T>(key: string): Promise<T | null>
  set(key: string, value: unknown, ttlMs: number): Promise<void>
  /** sets only when absent; true when this call set it */
  add(key: string, value: unknown, ttlMs: number): Promise<boolean>
  /** reads and deletes in one step: a single-use token can be taken once */
  take<T>(key: string): Promise<T | null>
  delete(key: string): Promise<void>
  /** one loader per key at a time; the others wait for its value */
  load<T>(key: string, ttlMs: number, loader: () => Promise<T>): Promise<T>
  close(): Promise<void>
}
