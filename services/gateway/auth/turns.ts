import { AssayError } from '@assay/core/contracts/errors'

export interface TurnsOptions {
  running: number
  waiting: number
  /** who waits longer is refused for now, 20 s unless told */
  waitMs?: number | undefined
}
export type Turns = <T>(work: () => Promise<T>) => Promise<T>

const WAIT_MS = 20_000
const tooMany = () => new AssayError('unavailable', 'Too many logins at once.', { retryAfterS: 1 })

/** At most `running` works at a time, with `waiting` behind them in order. Whoever comes later is refused at once. */
export function createTurns({ running, waiting, waitMs = WAIT_MS }: TurnsOptions): Turns {
  let active = 0
  const queue = new Set<() => void>()

  function turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(late)
        queue.delete(begin)
        resolve()
      }
      const late = setTimeout(() => {
        queue.delete(begin)
        reject(tooMany())
      }, waitMs)
      queue.add(begin)
    })
  }

  return async (work) => {
    if (active < running) active++
    else if (queue.size >= waiting) throw tooMany()
    else await turn()
    try {
      return await work()
    } finally {
      const [next] = queue
      if (next) next()
      else active--
    }
  }
}
