import type { Logger } from 'pino'
import { within } from '../ports/clock/within.ts'

/** A stack: what starts registers its close; `close` runs them in reverse order, once, each with a time-out. */
export interface Lifecycle {
  defer(name: string, close: () => Promise<void> | void): void
  /** aborted when closing begins: loops and waits end on it */
  readonly signal: AbortSignal
  /** runs a background task; its rejection is logged and, when `fatal`, closes the process with exit 1 */
  background(name: string, task: (signal: AbortSignal) => Promise<void>, options?: { fatal?: boolean }): void
  close(): Promise<void>
}
export interface LifecycleOptions {
  log: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>
  /** each close may take this long, ms; the next one runs then */
  closeTimeoutMs?: number
  /** told that a fatal background task failed */
  onFatal?: (error: unknown) => void
}

export function createLifecycle({ log, closeTimeoutMs = 10_000, onFatal }: LifecycleOptions): Lifecycle {
  const stack: { name: string; close: () => Promise<void> | void }[] = []
  const abort = new AbortController()
  const tasks = new Map<Promise<void>, string>()
  let closing: Promise<void> | undefined

  async function closeAll(): Promise<void> {
    abort.abort(new Error('closing'))
    await within(closeTimeoutMs, Promise.all(tasks.keys())).catch(() =>
      log.warn({ tasks: [...tasks.values()] }, 'background tasks did not end in time'),
    )
    for (let entry = stack.pop(); entry; entry = stack.pop()) {
      const { name, close } = entry
      try {
        await within(closeTimeoutMs, Promise.resolve().then(close))
        log.debug({ name }, 'closed')
      } catch (error) {
        log.error({ name, err: error }, 'close failed')
      }
    }
  }

  return {
    signal: abort.signal,
    defer: (name, close) => void stack.push({ name, close }),
    background(name, task, { fatal = false } = {}) {
      const running = Promise.resolve()
        .then(() => task(abort.signal))
        .catch((error: unknown) => {
          if (abort.signal.aborted) return
          log.error({ name, err: error, fatal }, 'background task failed')
          if (fatal) onFatal?.(error)
        })
        .finally(() => tasks.delete(running))
      tasks.set(running, name)
    },
    close() {
      closing ??= closeAll()
      return closing
    },
  }
}
