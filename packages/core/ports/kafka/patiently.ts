import type { Clock } from '../clock/port.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

interface ClientError {
  name?: string
  message?: string
  type?: string
  retriable?: boolean
  cause?: ClientError
}
/** Wrappers that say nothing about what is in them, and errors that kafkajs calls fatal although a broker that comes back ends them. */
const WRAPPERS = new Set(['KafkaJSNonRetriableError', 'KafkaJSNumberOfRetriesExceeded'])
const PASSING = new Set(['KafkaJSGroupCoordinatorNotFound', 'KafkaJSLockTimeout', 'KafkaJSTimeout'])

/** what kafkajs throws, as a plain Error, between losing a broker and finding it again */
const NOT_CONNECTED = 'Broker not connected'

/** Whether asking the broker again can help. */
export function isPassing(error: unknown): boolean {
  const { name = '', message, retriable, cause } = error as ClientError
  if (message === NOT_CONNECTED) return true
  if (WRAPPERS.has(name) && cause) return isPassing(cause)
  return PASSING.has(name) || (name.startsWith('KafkaJS') && retriable !== false)
}
/** The broker's own name of what went wrong. */
export function errorType(error: unknown): string | undefined {
  const { type, cause } = error as ClientError
  return type ?? (cause ? errorType(cause) : undefined)
}

/** Does it again while the broker is away, for as long as it takes; throws what is not the broker's absence, or the signal's reason. */
export async function patiently<T>(
  clock: Clock,
  signal: AbortSignal,
  act: () => Promise<T>,
  failed?: (error: unknown) => void,
): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted()
    try {
      return await act()
    } catch (error) {
      if (!isPassing(error)) throw error
      failed?.(error)
      await clock.sleep(pause, signal)
    }
  }
}
