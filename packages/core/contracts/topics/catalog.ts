import { z } from 'zod'
import * as assessment from './assessment.ts'
import * as identity from './identity.ts'
import * as market from './market-data.ts'
import * as payment from './payment.ts'
import * as rules from './rules.ts'
import { DAY_MS, type Topic } from './topic.ts'
import * as trading from './trading.ts'

const { Place: _, ...assessments } = assessment
const { TICKS, ticksTopic: __, MARKET_GROUPS: ___, ...markets } = market

/** Every topic there is, by name. */
export const TOPICS: readonly Topic[] = [
  ...Object.values(assessments),
  ...Object.values(trading),
  ...Object.values(rules),
  ...Object.values(payment),
  ...Object.values(identity),
  ...Object.values(markets),
  ...Object.values(TICKS),
].sort((a, b) => (a.name < b.name ? -1 : 1)) as unknown as readonly Topic[]

const byName = new Map(TOPICS.map((topic) => [topic.name, topic]))

/** The topic of this name; throws RangeError for one that is not in the catalog. */
export function topicNamed(name: string): Topic {
  const topic = byName.get(name)
  if (!topic) throw new RangeError(`There is no topic ${name}.`)
  return topic
}

const DeadLetter = z.object({
  group: z.string(),
  error: z.string(),
  attempts: z.int().positive(),
  partition: z.int().nonnegative(),
  offset: z.int().nonnegative(),
  envelope: z.json(),
})
export type DeadLetter = z.infer<typeof DeadLetter>

/** Where an event goes that a group could not handle: same key, one partition since there are few, kept for 30 days. */
export const deadLetterOf = (topic: Topic): Topic<DeadLetter> => ({
  ...topic,
  name: `${topic.name}.dead-letter`,
  summary: `What a group could not handle of ${topic.name}.`,
  schema: DeadLetter,
  partitions: 1,
  retentionMs: 30 * DAY_MS,
  durable: true,
})
