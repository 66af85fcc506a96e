import { setTimeout as after } from 'node:timers/promises'
import type { Clock } from './port.ts'

export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await after(ms, undefined, { signal })
    } catch (error) {
      throw signal?.reason ?? error
    }
  },
}
