import type { Logger } from 'pino'
import { AssayError, statusOf } from '../../contracts/errors.ts'
import type { Clock } from '../clock/port.ts'
import { passes } from '../db/failure.ts'
import type { Stored } from './event-log.ts'
import { type Delivered, PoisonError, type Topic } from './port.ts'

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1_000

export interface Delivery {
  group: string
  topic: Topic
  maxAttempts: number
  clock: Clock
  logger: Pick<Logger, 'error' | 'warn'>
  /** ends the waiting between two attempts */
  stopping: AbortSignal
  handle: (message: Delivered) => Promise<void>
  bury: (message: Stored, attempts: number, error: unknown) => Promise<void>
}

/** Hands an event over until it is handled, or buried after the last try, at once as poison; a store that is away is waited for. False when it is told to stop first. */
export async function deliver(stored: Stored, delivery: Delivery): Promise<boolean> {
  const { group, topic, maxAttempts, clock, logger, stopping, handle, bury } = delivery
  const { id } = stored.envelope
  let failures = 0
  for (let attempt = 1; ; attempt++) {
    try {
      const data = topic.schema.safeParse(stored.envelope.data)
      if (!data.success) throw new PoisonError(`does not fit the schema of ${topic.name}: ${data.error.message}`)
      await handle({ ...stored, envelope: { ...stored.envelope, data: data.data }, attempt })
      return true
    } catch (error) {
      const about = { err: error, group, topic: topic.name, id, attempt }
      if (!isAway(error)) failures++
      if (error instanceof PoisonError || failures >= maxAttempts) {
        logger.error(about, 'event goes to the dead letter')
        await bury(stored, attempt, error)
        return true
      }
      logger.warn(about, 'event is delivered again')
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS)
      await clock.sleep(pause, stopping).catch((error) => {
        if (!stopping.aborted) throw error
      })
      if (stopping.aborted) return false
    }
  }
}

/** It is no fault of the event: the same try succeeds once a server is back. */
const isAway = (error: unknown): boolean =>
  passes(error) || (error instanceof AssayError && statusOf(error.code) >= 503)
