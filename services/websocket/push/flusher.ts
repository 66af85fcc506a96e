import type { PushStats } from './metrics.ts'
import type { Outgoing } from './outgoing.ts'
import type { SendQueue } from './send-queue.ts'

export interface FlusherOptions {
  everyMs: number
  sliceMs: number
  now: () => number
  stats: PushStats
}
/**
 * Writes the queues that have something, at most once per `everyMs`: an idle process sends at once, a busy one puts
 * several events into one system call. A run that takes longer than `sliceMs` goes on in the next turn of the loop.
 */
export class Flusher {
  #dirty: SendQueue[] = []
  #events: Outgoing[] = []
  #scheduled = false
  #last = Number.NEGATIVE_INFINITY

  constructor(private readonly options: FlusherOptions) {}

  mark(queue: SendQueue): void {
    if (queue.dirty) return
    queue.dirty = true
    this.#dirty.push(queue)
    this.#schedule()
  }
  /** An event that the next flush sends: its delay is measured when the last of the clients was written. */
  watch(event: Outgoing): void {
    this.#events.push(event)
  }
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const wait = this.#last + this.options.everyMs - this.options.now()
    if (wait > 0) setTimeout(() => this.#run(), wait)
    else setImmediate(() => this.#run())
  }
  #run(): void {
    const { now, sliceMs, stats } = this.options
    this.#scheduled = false
    const deadline = now() + sliceMs
    let next = 0
    while (next < this.#dirty.length && (next === 0 || now() < deadline)) {
      const queue = this.#dirty[next++]!
      queue.dirty = false
      queue.flush()
    }
    this.#dirty.splice(0, next)
    if (this.#dirty.length > 0) {
      this.#scheduled = true
      setImmediate(() => this.#run())
      return
    }
    this.#last = now()
    for (const event of this.#events) stats.written(event, this.#last)
    this.#events = []
  }
}
