/** Wall time and monotonic time; a test sets both. Market time is not here: it comes with each market event. */
export interface Clock {
  /** wall clock, ms since 1970 UTC */
  now(): number
  /** never falls, ms */
  monotonic(): number
  /** resolves after ms of this clock; rejects with the signal's reason when aborted */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
