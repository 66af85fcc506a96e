import { AssayError } from '@assay/core/contracts/errors'

/** argon2id at 19 MiB and two passes (OWASP): about 22 ms of one core. */
const ARGON2ID = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const

export interface PasswordHasher {
  hash(password: string): Promise<string>
  verify(input: { hash: string; password: string }): Promise<boolean>
}

/**
 * Hashes passwords off the main thread, at most `running` at a time with `waiting` behind them. Whoever comes later is
 * refused at once: a queue of logins must not become the machine's memory and time.
 */
export function createPasswordHasher({ running, waiting }: { running: number; waiting: number }): PasswordHasher {
  let active = 0
  const queue: (() => void)[] = []

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (active < running) active++
    else if (queue.length >= waiting)
      throw new AssayError('unavailable', 'Too many logins at once.', { retryAfterS: 1 })
    else await new Promise<void>((resolve) => queue.push(resolve))
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next) next()
      else active--
    }
  }

  return {
    hash: (password) => inTurn(() => Bun.password.hash(password.normalize('NFKC'), ARGON2ID)),
    verify: ({ hash, password }) => inTurn(() => Bun.password.verify(password.normalize('NFKC'), hash)),
  }
}
