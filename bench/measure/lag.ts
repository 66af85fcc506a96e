import { Latencies } from './latencies.ts'

/** How late a 5 ms timer of this thread fires: what its event loop adds to everything. */
export function watchLag(everyMs = 5): () => Latencies {
  const lag = new Latencies()
  let due = performance.now() + everyMs
  const timer = setInterval(() => {
    const now = performance.now()
    lag.add(Math.max(0, now - due))
    due = now + everyMs
  }, everyMs)
  return () => {
    clearInterval(timer)
    return lag
  }
}
