import { existsSync } from 'node:fs'
import { type Config, environment, readConfig } from '@assay/core/kernel/config'
import { openDatabase } from '@assay/core/kernel/database'
import { kafkaConnection } from '@assay/core/kernel/messaging'
import { systemClock } from '@assay/core/ports/clock/system'
import { FolderLockedError } from '@assay/core/ports/db/lock'
import type { KafkaConnection } from '@assay/core/ports/kafka/connection'
import { KafkaUnreachableError, whileReachable } from '@assay/core/ports/kafka/reach'
import type { Logger } from 'pino'
import { parseOptions, UsageError } from '../options.ts'
import type { Letter, TopicsDesk } from '../topics/desk.ts'
import { EmbeddedDesk } from '../topics/embedded.ts'
import { KafkaDesk } from '../topics/on-kafka.ts'

export const summary = 'list | lag | dead-letters [TOPIC] | replay [TOPIC] | apply: topics of the configured bus'
const USAGE = `usage: assay topics ${summary}
  list          each topic with partitions, retention, events and dead letters that nobody has replayed
  lag           events that each consumer group has not handled
  dead-letters  what groups could not handle, with the error
  replay        publishes dead letters again to their topic, under their own ids
  apply         makes the catalog on the Kafka cluster: missing topics, other settings; changes nothing twice
  --json        one line of JSON for each`
/** Until it is said that the cluster does not answer. */
const REACH_MS = 15_000
const ACTIONS = ['list', 'lag', 'dead-letters', 'replay', 'apply']

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, { json: { type: 'boolean', default: false } })
  const [action = 'list', topic, ...more] = positionals
  if (!ACTIONS.includes(action) || more.length > 0) throw new UsageError(USAGE)
  if (topic !== undefined && action !== 'dead-letters' && action !== 'replay') throw new UsageError(USAGE)
  const config = readConfig(environment())
  const connection = kafkaConnection({ config, log })
  const answer = async () => {
    const desk = connection ? await KafkaDesk.open(connection, config) : await embeddedDesk(config)
    try {
      return await act(desk, action, topic)
    } finally {
      await desk.close()
    }
  }
  const lines = connection ? await onCluster(connection, answer) : await answer()
  for (const line of lines) console.log(values.json ? JSON.stringify(line) : text(line))
  return 0
}

async function onCluster<T>(connection: KafkaConnection, answer: () => Promise<T>): Promise<T> {
  try {
    return await whileReachable(connection, systemClock, answer, REACH_MS)
  } catch (error) {
    if (error instanceof KafkaUnreachableError) throw new UsageError(error.message)
    throw error
  }
}

type Line = object | string
async function act(desk: TopicsDesk, action: string, topic: string | undefined): Promise<readonly Line[]> {
  if (action === 'list') return desk.list()
  if (action === 'lag') return desk.lag()
  if (action === 'apply') {
    if (desk.kind === 'embedded') return ['the embedded bus has nothing to apply: KAFKA_BROKERS is not set']
    const done = await desk.apply()
    return done.length > 0 ? done : ['all topics are as the catalog says']
  }
  const letters = await lettersOf(desk, topic)
  if (action === 'dead-letters') return letters.length > 0 ? letters.map(told) : ['no dead letters']
  await desk.replay(letters)
  return [`replayed ${letters.length}`]
}

async function lettersOf(desk: TopicsDesk, topic: string | undefined): Promise<Letter[]> {
  const letters = await desk.letters()
  if (topic === undefined) return letters
  if (!(await desk.list()).some((line) => line.topic === topic)) throw new UsageError(`there is no topic ${topic}`)
  return letters.filter((letter) => letter.topic === topic)
}

const told = ({ topic, partition, offset, letter }: Letter) => {
  const { id, key } = letter.envelope as { id?: string; key: string }
  return { topic, partition, offset, group: letter.group, key, id, attempts: letter.attempts, error: letter.error }
}
const text = (line: Line): string =>
  typeof line === 'string'
    ? line
    : Object.entries(line)
        .map(([name, value]) => (name === 'topic' ? String(value).padEnd(36) : `${name} ${value}`))
        .join('  ')

const log = {
  info: () => {},
  warn: (fields: { msg?: string }, message: string) => console.error(message ?? fields.msg),
  error: console.error,
} as unknown as Logger

async function embeddedDesk({ platform }: Config): Promise<TopicsDesk> {
  const { ASSAY_HOME, DATABASE_URL } = platform
  if (!DATABASE_URL && !existsSync(`${ASSAY_HOME}/pg`)) throw new UsageError(`there is no database in ${ASSAY_HOME}`)
  try {
    return new EmbeddedDesk(await openDatabase(platform, log))
  } catch (error) {
    if (!(error instanceof FolderLockedError)) throw error
    throw new UsageError(`${error.message}; its topics are asked for while it is stopped`)
  }
}
