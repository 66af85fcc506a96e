import { join } from 'node:path'
import { TOPICS } from '../contracts/topics/catalog.ts'
import { MARKET_GROUPS, marketSequenced } from '../contracts/topics/market-data.ts'
import { createEmbeddedBus } from '../ports/bus/embedded.ts'
import { KafkaBus } from '../ports/bus/kafka.ts'
import type { Bus } from '../ports/bus/port.ts'
import type { Db } from '../ports/db/port.ts'
import { KafkaConnection } from '../ports/kafka/connection.ts'
import { whileReachable } from '../ports/kafka/reach.ts'
import { applyTopics, missingTopics, type Wanted, withDeadLetters } from '../ports/kafka/topics.ts'
import { KafkaWatch } from '../ports/kafka/watch.ts'
import { openKafkaLog, sequencedTopic } from '../ports/marketlog/kafka.ts'
import type { MarketLog } from '../ports/marketlog/port.ts'
import { openSegmentLog } from '../ports/marketlog/segments.ts'
import { kafkaSettings } from './config/kafka.ts'
import type { Config } from './config.ts'
import { expireInbox } from './inbox.ts'
import type { OutboxBus } from './relay.ts'
import type { StoreParts } from './stores.ts'

export interface Messaging {
  bus: Bus & OutboxBus
  marketlog: MarketLog
  /** forgets what is kept long enough; called now and then */
  expire(): Promise<void>
}

/** Bus and market log on Kafka where it is configured, else in the database and in the data folder. */
export function openMessaging(parts: StoreParts, db: Db): Promise<Messaging> {
  const connection = kafkaConnection(parts)
  return connection ? onKafka(parts, db, connection) : embedded(parts, db)
}

/** Null: no Kafka is configured. */
export function kafkaConnection({ config, log }: Pick<StoreParts, 'config' | 'log'>): KafkaConnection | null {
  const settings = kafkaSettings(config.platform)
  return settings && new KafkaConnection(settings, log)
}

/** Every topic of the catalog, as the cluster is to have it. */
export function catalogOf(connection: KafkaConnection, { platform }: Pick<Config, 'platform'>): Wanted[] {
  const ofBus = withDeadLetters(TOPICS.filter(({ name }) => name !== marketSequenced.name))
  return [
    ...ofBus.map(({ name, partitions, retentionMs }) => ({ name: connection.named(name), partitions, retentionMs })),
    sequencedTopic(connection, MARKET_GROUPS, platform.MARKET_LOG_MAX_BYTES),
  ]
}

async function embedded({ config, log, clock, keep }: StoreParts, db: Db): Promise<Messaging> {
  const folder = join(config.platform.ASSAY_HOME, 'market-log')
  const marketlog = keep('marketlog', await openSegmentLog({ folder, clock, log }))
  const bus = keep('bus', createEmbeddedBus({ db, clock, log }))
  return { marketlog, bus, expire: () => bus.expire() }
}

async function onKafka(parts: StoreParts, db: Db, connection: KafkaConnection): Promise<Messaging> {
  const { config, log, clock, keep, tell } = parts
  await whileReachable(connection, clock, () => makeMissing(connection, catalogOf(connection, config), log))
  const watch = keep('kafka', new KafkaWatch(connection, connection.named(marketSequenced.name), clock))
  tell(() => {
    const reason = watch.away()
    return {
      stores: { bus: { kind: 'kafka', ...(reason === null ? {} : { away: reason }) } },
      ...(reason === null ? {} : { degraded: [`bus: kafka is away: ${reason}`] }),
    }
  })
  const marketlog = keep('marketlog', openKafkaLog({ connection, db, clock, log, groups: MARKET_GROUPS }))
  const bus = keep('bus', new KafkaBus({ connection, clock, log }))
  return { marketlog, bus, expire: () => expireInbox(db, TOPICS) }
}

/** A start makes the topics that are missing; how the others are set is left to `assay topics apply`. */
async function makeMissing(connection: KafkaConnection, wanted: readonly Wanted[], log: StoreParts['log']) {
  const missing = await missingTopics(
    connection,
    wanted.map(({ name }) => name),
  )
  if (missing.length === 0) return
  try {
    const { created } = await applyTopics(
      connection,
      wanted.filter(({ name }) => missing.includes(name)),
    )
    log.info({ topics: created.length }, 'kafka: topics made')
  } catch (cause) {
    const names = missing.slice(0, 3).join(', ')
    throw new Error(
      `Kafka lacks ${missing.length} topics (${names}...) and they could not be made: ./assay topics apply makes them, with credentials that may.`,
      { cause },
    )
  }
}
