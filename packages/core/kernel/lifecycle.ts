/** A stack: what starts registers its close; `close` runs them in reverse order, once, each with a time-out. */
export interface Lifecycle {
  defer(name: string, close: () => Promise<void> | void): void
  /** aborted when closing begins: loops and waits end on it */
  readonly signal: AbortSignal
  /** runs a background task; its rejection is logged and, when `fatal`, closes the process with exit 1 */
  background(name: string, task: (signal: AbortSignal) => Promise<void>, options?: { fatal?: boolean }): void
  close(): Promise<void>
}
