import { z } from 'zod'
import type { DeadLetter } from '../../contracts/topics/catalog.ts'
import type { Stored } from './event-log.ts'
import type { Envelope, Topic } from './port.ts'

const Head = z.object({
  id: z.string(),
  topic: z.string(),
  key: z.string(),
  ts: z.string(),
  producer: z.string(),
  version: z.int(),
  trace: z.string().nullable(),
  seq: z.int(),
})

export interface EnvelopeOptions {
  id?: string | undefined
  seq?: number | undefined
  trace?: string | null | undefined
}
/** The envelope of an event published straight. */
export function envelopeOf<T>(
  topic: Topic<T>,
  key: string,
  data: T,
  now: number,
  options: EnvelopeOptions,
): Envelope<T> {
  const { id = Bun.randomUUIDv7(), seq = 0, trace = null } = options
  const ts = new Date(now).toISOString()
  return { id, topic: topic.name, key, ts, producer: topic.producer, version: 1, trace, seq, data }
}

/** Null when the text is no envelope. */
export function parseEnvelope(text: string): Envelope | null {
  try {
    const written = JSON.parse(text)
    // what an event says is for the schema of its topic
    return written.data === undefined ? null : { ...Head.parse(written), data: written.data }
  } catch {
    return null
  }
}

/** What is kept of an event that a group could not handle. */
export const deadLetter = (
  group: string,
  { envelope, partition, offset }: Stored,
  attempts: number,
  error: unknown,
): DeadLetter => ({
  group,
  error: String(error),
  attempts,
  partition,
  offset,
  envelope: JSON.parse(JSON.stringify(envelope)),
})
