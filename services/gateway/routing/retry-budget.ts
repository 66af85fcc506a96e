import { RecentCount } from './recent.ts'

/** Of the requests of the last 10 s; */
const SHARE = 0.2
/** and so many in 10 s whatever their number: a quiet service's requests may be repeated too. */
const ALWAYS = 100

/** Bounds what repeating adds to a service that fails: without it three tries are three times the load when it can bear least. */
export class RetryBudget {
  readonly #requests = new RecentCount()
  readonly #retries = new RecentCount()

  asked(nowMs: number): void {
    this.#requests.add(nowMs)
  }
  /** False: not now, the caller answers with what it has. */
  take(nowMs: number): boolean {
    if (this.#retries.at(nowMs) >= ALWAYS + SHARE * this.#requests.at(nowMs)) return false
    this.#retries.add(nowMs)
    return true
  }
}
