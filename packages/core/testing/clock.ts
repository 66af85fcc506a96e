import type { Clock } from '../ports/clock/port.ts'

interface Sleeper {
  until: number
  wake: () => void
}

/** A clock that moves only when told; `set` jumps the wall clock alone, also back. */
export class ManualClock implements Clock {
  private elapsed = 0
  private sleepers: Sleeper[] = []

  constructor(private wall = Date.UTC(2026, 0, 5, 12)) {}

  now(): number {
    return this.wall
  }
  monotonic(): number {
    return this.elapsed
  }
  set(wall: number): void {
    this.wall = wall
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { until: this.elapsed + ms, wake: resolve }
      const cancel = () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper)
        reject(signal?.reason)
      }
      if (signal?.aborted) return reject(signal.reason)
      signal?.addEventListener('abort', cancel, { once: true })
      this.sleepers.push(sleeper)
    })
  }

  /** Moves both clocks on, waking sleepers in the order of their times. */
  async advance(ms: number): Promise<void> {
    const target = this.elapsed + ms
    for (;;) {
      const next = this.sleepers.filter(({ until }) => until <= target).sort((a, b) => a.until - b.until)[0]
      if (!next) break
      this.move(Math.max(next.until - this.elapsed, 0))
      this.sleepers = this.sleepers.filter((other) => other !== next)
      next.wake()
      await Promise.resolve()
    }
    this.move(target - this.elapsed)
  }

  private move(ms: number): void {
    this.elapsed += ms
    this.wall += ms
  }
}
