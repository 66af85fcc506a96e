import type { z } from 'zod'

/** One topic of the catalog: the only place that names it. */
export interface Topic<T = unknown> {
  name: string
  schema: z.ZodType<T>
  /** the service that publishes it */
  producer: string
  /** one line for docs/topics.md */
  summary: string
  /** the field whose value is the key, for docs; the publisher gives the key itself */
  key: string
  partitions: number
  retentionMs: number
  /** durable topics survive a restart and are published through the outbox; market topics are derived from the market log */
  durable: boolean
}

export const DAY_MS = 86_400_000

/** Partitions of a durable topic unless it says otherwise; the number is part of where a key lives and never changes. */
const PARTITIONS = 12

export type TopicDefinition<T> = Omit<Topic<T>, 'schema' | 'partitions' | 'retentionMs' | 'durable'> & {
  schema: z.ZodType<T>
  partitions?: number
  retentionDays: number
  durable?: boolean
}

export function defineTopic<T>({
  retentionDays,
  partitions = PARTITIONS,
  durable = true,
  ...rest
}: TopicDefinition<T>): Topic<T> {
  return { ...rest, partitions, durable, retentionMs: retentionDays * DAY_MS }
}
