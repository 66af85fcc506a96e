import type { Logger } from 'pino'
import { marketSequenced } from '../../contracts/topics/market-data.ts'
import type { Clock } from '../clock/port.ts'
import type { Db } from '../db/port.ts'
import type { KafkaConnection } from '../kafka/connection.ts'
import type { Wanted } from '../kafka/topics.ts'
import { KafkaGroup } from './kafka-group.ts'
import type { MarketLog } from './port.ts'

export interface KafkaLogOptions {
  connection: KafkaConnection
  /** holds the index of sealed segments */
  db: Db
  clock: Clock
  log: Pick<Logger, 'warn'>
  /** the place of a group in this list is its partition: it only ever grows at its end */
  groups: readonly string[]
  /** events of sealed segments that stay in memory besides the newest segment (65,536) */
  keepEvents?: number
  /** the index holds what stood before a segment once in so many events (8,192) */
  carryEvents?: number
}

const KEEP = 65_536
const CARRY = 8_192

/** The topic that the market log needs: a partition a group. */
export const sequencedTopic = (connection: KafkaConnection, groups: readonly string[], maxBytes: number): Wanted => ({
  name: connection.named(marketSequenced.name),
  partitions: groups.length,
  retentionMs: marketSequenced.retentionMs,
  retentionBytes: maxBytes,
  grows: true,
})

/** The market log on Apache Kafka: durable when acknowledged by all, valid by the fences before it. */
export function openKafkaLog(options: KafkaLogOptions): MarketLog {
  const { connection, groups, keepEvents = KEEP, carryEvents = CARRY } = options
  const closing = new AbortController()
  const topic = connection.named(marketSequenced.name)
  const opened = new Map<string, KafkaGroup>()
  const groupOf = (group: string): KafkaGroup => {
    let found = opened.get(group)
    if (!found) {
      const partition = groups.indexOf(group)
      if (partition < 0) throw new RangeError(`there is no market group ${group} (${groups.join(', ')})`)
      found = new KafkaGroup({ ...options, group, topic, partition, keepEvents, carryEvents, signal: closing.signal })
      opened.set(group, found)
    }
    return found
  }
  return {
    fence: async (group, epoch, repeats = false) => groupOf(group).fence(epoch, repeats),
    append: async (group, epoch, events) => groupOf(group).append(epoch, events),
    end: async (group) => groupOf(group).end(),
    raise: async (group, mseq) => groupOf(group).raise(mseq),
    read: (group, fromMseq, signal) => groupOf(group).read(fromMseq, signal),
    carry: async (group, mseq) => groupOf(group).carry(mseq),
    segments: async (group, from, to) => groupOf(group).segments(from, to),
    seal: async (group) => groupOf(group).seal(),
    pin: (group, id, mseq) => groupOf(group).pin(id, mseq),
    retain: async (group, limits) => groupOf(group).retain(limits),
    disk: () => 'ok',
    giveUpReserve: () => false,
    recoverDisk: async () => 'ok',
    async close() {
      closing.abort(new Error('the market log is closed'))
      await Promise.all([...opened.values()].map((group) => group.close()))
    },
  }
}
