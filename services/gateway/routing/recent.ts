const SECONDS = 10

/** How often something happened in the last 10 s, to the second; a ring, so that nothing has to be forgotten by a timer. */
export class RecentCount {
  readonly #counts = new Int32Array(SECONDS)
  #second = 0
  #sum = 0

  add(nowMs: number): void {
    this.#turn(nowMs)
    this.#counts[this.#second % SECONDS]!++
    this.#sum++
  }
  /** of the last 10 s */
  at(nowMs: number): number {
    this.#turn(nowMs)
    return this.#sum
  }
  clear(): void {
    this.#counts.fill(0)
    this.#sum = 0
  }

  #turn(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000)
    if (second <= this.#second) return
    for (let next = Math.max(this.#second + 1, second - SECONDS + 1); next <= second; next++) {
      this.#sum -= this.#counts[next % SECONDS]!
      this.#counts[next % SECONDS] = 0
    }
    this.#second = second
  }
}
