import { RecentCount } from './recent.ts'

export type BreakerState = 'closed' | 'open' | 'half-open'
/** What a call that was let through turned out to be; `unknown`: its caller gave up first, it says nothing about the replica. */
export type CallOutcome = 'answered' | 'failed' | 'unknown'
/** `trial`: the one call that finds out whether an open circuit may close. */
export type Pass = 'refused' | 'normal' | 'trial'

/** So many failures in 10 s, and at least this share of the calls, open it. */
const FAILURES = 5
const FAILED_SHARE = 0.5
/** Open for so long; twice as long after each trial that fails, up to the second. */
const FIRST_OPEN_MS = 1_000
const LONGEST_OPEN_MS = 5_000

/**
 * The circuit breaker of one replica. Own, because who is asked is chosen among replicas by their state, before any
 * call: libraries (cockatiel, opossum) wrap the call, decide inside it, keep time by the system's clock, and cannot
 * be told by a health check that the replica is back.
 */
export class Breaker {
  readonly #calls = new RecentCount()
  readonly #failures = new RecentCount()
  #isOpen = false
  #openUntil = 0
  #openMs = FIRST_OPEN_MS
  #isTried = false

  state(now: number): BreakerState {
    if (!this.#isOpen) return 'closed'
    return now < this.#openUntil ? 'open' : 'half-open'
  }
  /** ms until a trial may be made; 0: now */
  waitMs(now: number): number {
    return this.#isOpen ? Math.max(0, this.#openUntil - now) : 0
  }
  letsThrough(now: number): boolean {
    return !this.#isOpen || (now >= this.#openUntil && !this.#isTried)
  }
  /** Every pass but `refused` is given back by `leave`. */
  enter(now: number): Pass {
    if (!this.letsThrough(now)) return 'refused'
    if (!this.#isOpen) return 'normal'
    this.#isTried = true
    return 'trial'
  }
  leave(pass: Pass, outcome: CallOutcome, now: number): void {
    if (pass === 'trial') this.#judge(outcome, now)
    // what was under way when it opened decides nothing any more
    else if (!this.#isOpen && outcome !== 'unknown') this.#count(outcome, now)
  }
  /** Its health check passes again: the next call is a trial, at once. */
  mayBeBack(now: number): void {
    this.#openUntil = Math.min(this.#openUntil, now)
  }

  #judge(outcome: CallOutcome, now: number): void {
    this.#isTried = false
    if (outcome === 'answered') {
      this.#isOpen = false
      this.#openMs = FIRST_OPEN_MS
      this.#calls.clear()
      this.#failures.clear()
    } else if (outcome === 'failed') {
      this.#openMs = Math.min(LONGEST_OPEN_MS, this.#openMs * 2)
      this.#openUntil = now + this.#openMs
    }
  }
  #count(outcome: CallOutcome, now: number): void {
    this.#calls.add(now)
    if (outcome !== 'failed') return
    this.#failures.add(now)
    const failures = this.#failures.at(now)
    if (failures < FAILURES || failures < FAILED_SHARE * this.#calls.at(now)) return
    this.#isOpen = true
    this.#openUntil = now + this.#openMs
  }
}
