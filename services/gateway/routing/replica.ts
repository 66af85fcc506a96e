import type { HealthReport } from '@assay/core/kernel/health'
import { Breaker, type CallOutcome, type Pass } from './breaker.ts'

/** Why a call that began brought nothing. */
export type Failure = 'refused' | 'lost' | 'bad_gateway'

/** Calls under way at one replica; beyond, others are asked, or nobody: one that hangs must not hold everybody's memory. */
const MOST_CALLS = 512
/** After a failed call it is asked last for so long. */
const AVOIDED_MS = 2_000
/** What is passed through from it ends when it has been away for so long: a frozen process closes nothing. */
const FORSAKEN_MS = 5_000

/** One replica of a service as the gateway sees it. */
export class Replica {
  readonly breaker = new Breaker()
  /** unknown until it was asked: it may be tried */
  state: 'unknown' | 'ready' | 'not ready' | 'draining' | 'away' = 'unknown'
  health: HealthReport | undefined
  calls = 0
  readonly failures: Record<Failure, number> = { refused: 0, lost: 0, bad_gateway: 0 }
  #avoidUntil = 0
  #awaySince = 0
  readonly #held = new Set<() => void>()

  constructor(
    readonly service: string,
    readonly url: string,
  ) {}

  /** The lower, the sooner it is asked; null: it must not be asked now. */
  rank(now: number): number | null {
    if (this.calls >= MOST_CALLS || !this.breaker.letsThrough(now)) return null
    if (this.state === 'draining' || this.state === 'away') return 2
    return this.#avoidUntil > now || this.state === 'not ready' || this.breaker.state(now) !== 'closed' ? 1 : 0
  }
  /** Every pass but `refused` is given back by `leave`. */
  enter(now: number): Pass {
    if (this.calls >= MOST_CALLS) return 'refused'
    const pass = this.breaker.enter(now)
    if (pass !== 'refused') this.calls++
    return pass
  }
  leave(pass: Pass, outcome: CallOutcome, now: number): void {
    this.calls--
    this.breaker.leave(pass, outcome, now)
  }
  failed(why: Failure, now: number): void {
    this.failures[why]++
    this.#avoidUntil = now + AVOIDED_MS
  }

  /** What its health check found. */
  seen(state: Replica['state'], health: HealthReport | undefined, now: number): void {
    if (state === 'ready' && this.state !== 'ready') this.breaker.mayBeBack(now)
    if (state === 'away' && this.state !== 'away') this.#awaySince = now
    this.state = state
    this.health = health
    if (state === 'away' && now - this.#awaySince >= FORSAKEN_MS) this.forsake()
  }
  /** A connection or stream that lasts: `end` is called when nothing can come from there any more. Gives the release. */
  hold(end: () => void): () => void {
    this.#held.add(end)
    return () => void this.#held.delete(end)
  }
  get held(): number {
    return this.#held.size
  }
  forsake(): void {
    const held = [...this.#held]
    this.#held.clear()
    for (const end of held) end()
  }
}
