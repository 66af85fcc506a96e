/** Content by name. Names are `/`-separated lower-case paths; a put replaces atomically: readers see old or new. */
export interface Blobs {
  put(name: string, bytes: Uint8Array): Promise<void>
  get(name: string): Promise<Uint8Array | null>
  has(name: string): Promise<boolean>
  delete(name: string): Promise<void>
  /** names below a prefix, ascending, at most `limit` (1000), after `after` */
  list(prefix: string, options?: { after?: string; limit?: number }): Promise<string[]>
  close(): Promise<void>
}
