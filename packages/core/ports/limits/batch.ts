import type { Script } from '../cache/redis-server.ts'

interface Waiting {
  keys: number
  resolve: (answers: string[]) => void
  reject: (error: unknown) => void
}

/** One run of the script decides at most this many limits: a few tenths of a millisecond of the server. */
const MOST_KEYS = 128

/**
 * What is asked in one turn of the event loop goes to the server as one call, in the order it was asked. `tail` is added
 * to the arguments of each call.
 */
export function batched(script: Script, tail: () => string | number) {
  let keys: string[] = []
  let args: (string | number)[] = []
  let waiting: Waiting[] = []

  function flush(): void {
    if (keys.length === 0) return
    const asked = waiting
    const answered = script(keys, [...args, tail()]) as Promise<string[]>
    keys = []
    args = []
    waiting = []
    answered.then(
      (answers) => {
        let at = 0
        for (const { keys: count, resolve } of asked) {
          resolve(answers.slice(at, at + count))
          at += count
        }
      },
      (error) => {
        for (const { reject } of asked) reject(error)
      },
    )
  }

  return (ownKeys: readonly string[], ownArgs: readonly (string | number)[]): Promise<string[]> => {
    if (keys.length === 0) setImmediate(flush)
    const { promise, resolve, reject } = Promise.withResolvers<string[]>()
    keys.push(...ownKeys)
    args.push(...ownArgs)
    waiting.push({ keys: ownKeys.length, resolve, reject })
    if (keys.length >= MOST_KEYS) flush()
    return promise
  }
}
