import { mayRepeat } from './failure.ts'

const FIRST_MS = 10
const LONGEST_MS = 500

/**
 * Runs `attempt` again, with growing, random pauses, while it fails without an effect for a cause that passes
 * (40001, 40P01, a connection that could not be had), for at most `forMs`.
 */
export async function retried<T>(forMs: number, attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + forMs
  for (let pauseMs = FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_MS)) {
    try {
      return await attempt()
    } catch (error) {
      const waitMs = pauseMs * (0.5 + Math.random())
      if (!mayRepeat(error) || performance.now() + waitMs > until) throw error
      await Bun.sleep(waitMs)
    }
  }
}
