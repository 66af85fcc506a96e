import type { ITopicConfig } from 'kafkajs'
import { deadLetterOf } from '../../contracts/topics/catalog.ts'
import type { Topic } from '../../contracts/topics/topic.ts'
import type { KafkaConnection } from './connection.ts'
import { errorType, isPassing } from './patiently.ts'

/** Bytes of one event as JSON; what a publisher gives beyond is refused. */
export const LARGEST_EVENT = 1024 * 1024
/** Room for a batch of one partition; more than a batch of ours ever has. */
const LARGEST_BATCH = 4 * LARGEST_EVENT
/** Copies of each partition where there are as many brokers. */
const REPLICAS = 3
export interface Wanted {
  /** on the cluster */
  name: string
  partitions: number
  retentionMs: number
  retentionBytes?: number
  /** may get more partitions; where the key says which one it is, it may not */
  grows?: boolean
}

/** A topic and the one for what nobody could handle of it. */
export const withDeadLetters = (topics: readonly Topic[]): Topic[] =>
  topics.flatMap((topic) => [topic, deadLetterOf(topic) as Topic])

export interface Applied {
  created: string[]
  /** more partitions than before */
  grown: string[]
  /** another retention than before */
  changed: string[]
  /** another number of partitions on the cluster, left alone: keys would move */
  differing: string[]
}

/** Makes the cluster's topics as they are wanted; says what it had to do, nothing the second time. */
export async function applyTopics(connection: KafkaConnection, wanted: readonly Wanted[]): Promise<Applied> {
  const admin = connection.kafka.admin()
  await admin.connect()
  try {
    const existing = new Set(await listTopics(admin))
    const missing = wanted.filter(({ name }) => !existing.has(name))
    if (missing.length > 0) {
      const { brokers } = await admin.describeCluster()
      const replicas = brokers.length >= REPLICAS ? REPLICAS : 1
      await create(
        admin,
        missing.map((topic) => creation(topic, replicas)),
      )
    }
    const there = wanted.filter(({ name }) => existing.has(name))
    const { grown, differing } = await grow(admin, there)
    return { created: missing.map(({ name }) => name), grown, differing, changed: await configure(admin, there) }
  } finally {
    await admin.disconnect()
  }
}

/** The names among these that the cluster does not have. */
export async function missingTopics(connection: KafkaConnection, names: readonly string[]): Promise<string[]> {
  const admin = connection.kafka.admin()
  await admin.connect()
  try {
    const existing = new Set(await listTopics(admin))
    return names.filter((name) => !existing.has(name))
  } finally {
    await admin.disconnect()
  }
}

type Admin = ReturnType<KafkaConnection['kafka']['admin']>

const APPEAR_MS = 60_000
const ANSWER_MS = 30_000
const LOOK_MS = 100

/** Where no broker takes its call in time kafkajs reads from an answer that is none: a TypeError that passes. */
async function listTopics(admin: Admin): Promise<string[]> {
  for (const until = performance.now() + ANSWER_MS; ; await Bun.sleep(LOOK_MS)) {
    try {
      return await admin.listTopics()
    } catch (error) {
      if (!(error instanceof TypeError) || performance.now() > until) throw error
    }
  }
}

/** Resolves when each has a leader. Another process may be making the same ones. */
async function create(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false }).catch((error) => {
    const errors = (error as { errors?: unknown[] }).errors ?? [error]
    if (!errors.every((one) => errorType(one) === 'TOPIC_ALREADY_EXISTS')) throw error
  })
  const names = topics.map(({ topic }) => topic)
  for (const until = performance.now() + APPEAR_MS; ; await Bun.sleep(LOOK_MS)) {
    const metadata = await admin.fetchTopicMetadata({ topics: names }).catch((error) => {
      if (!isPassing(error) || performance.now() > until) throw error
      return null
    })
    const led = metadata?.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))
    if (led) return
    if (performance.now() > until) throw new Error(`Kafka made ${names.length} topics and gave them no leader in 60 s.`)
  }
}

const settingsOf = ({ retentionMs, retentionBytes = -1 }: Wanted): Record<string, string> => ({
  'retention.ms': String(retentionMs),
  'retention.bytes': String(retentionBytes),
  'max.message.bytes': String(LARGEST_BATCH),
})

const creation = (topic: Wanted, replicas: number): ITopicConfig => ({
  topic: topic.name,
  numPartitions: topic.partitions,
  replicationFactor: replicas,
  configEntries: Object.entries({
    ...settingsOf(topic),
    'min.insync.replicas': String(Math.max(1, replicas - 1)),
  }).map(([name, value]) => ({ name, value })),
})

async function grow(admin: Admin, topics: readonly Wanted[]): Promise<Pick<Applied, 'grown' | 'differing'>> {
  const grown: string[] = []
  const differing: string[] = []
  if (topics.length === 0) return { grown, differing }
  const metadata = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) })
  for (const { name, partitions } of metadata.topics) {
    const wanted = topics.find((topic) => topic.name === name)!
    if (partitions.length === wanted.partitions) continue
    if (wanted.grows && partitions.length < wanted.partitions) {
      await admin.createPartitions({ topicPartitions: [{ topic: name, count: wanted.partitions }] })
      grown.push(name)
    } else differing.push(name)
  }
  return { grown, differing }
}

/** Resource type of a topic, and the source of a value that was set for it. */
const TOPIC = 2
const SET_FOR_TOPIC = 1

async function configure(admin: Admin, topics: readonly Wanted[]): Promise<string[]> {
  if (topics.length === 0) return []
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({ type: TOPIC, name })),
  })
  const changed: string[] = []
  for (const topic of topics) {
    const set = resources.find(({ resourceName }) => resourceName === topic.name)?.configEntries ?? []
    const wanted = settingsOf(topic)
    if (set.every(({ configName, configValue }) => (wanted[configName] ?? configValue) === configValue)) continue
    // the call replaces all that is set: what an operator set beside ours is said again
    const kept = set.filter(({ configSource, configName }) => configSource === SET_FOR_TOPIC && !(configName in wanted))
    const entries = [...kept.map((entry) => [entry.configName, entry.configValue] as const), ...Object.entries(wanted)]
    const configEntries = entries.map(([name, value]) => ({ name, value }))
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name: topic.name, configEntries }] })
    changed.push(topic.name)
  }
  return changed
}
