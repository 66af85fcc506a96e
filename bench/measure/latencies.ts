const PER_MS = 20
const LONGEST_MS = 10_000

/** A histogram of 0.05 ms steps up to 10 s: adding costs nothing and keeps every value. */
export class Latencies {
  #counts = new Float64Array(PER_MS * LONGEST_MS + 1)
  count = 0

  add(ms: number): void {
    const step = Math.ceil(ms * PER_MS)
    this.#counts[Math.min(Math.max(step, 0), this.#counts.length - 1)]!++
    this.count++
  }
  /** ms below which that share of the values lies */
  at(share: number): number {
    const rank = this.count * share
    let below = 0
    let step = 0
    while (step < this.#counts.length - 1 && below + this.#counts[step]! < rank) below += this.#counts[step++]!
    return step / PER_MS
  }
}
