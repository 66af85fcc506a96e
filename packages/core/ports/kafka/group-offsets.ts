import type { Admin } from 'kafkajs'
import type { Topic } from '../../contracts/topics/topic.ts'
import type { Clock } from '../clock/port.ts'
import type { KafkaConnection } from './connection.ts'
import { errorType, patiently } from './patiently.ts'

export interface TopicOffsets {
  topic: string
  partitions: { partition: number; offset: number }[]
}
/** of a group that has no offset for a partition */
const NONE = -1
const ACTIVE = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'])

/** Offsets of consumer groups, asked for and set from outside of them. */
export class GroupOffsets {
  private admin: Promise<Admin> | null = null
  private readonly closing = new AbortController()

  constructor(
    private readonly connection: KafkaConnection,
    private readonly clock: Clock,
  ) {}

  /** A new group's first offset is written down, so that it is the same after a restart. */
  async settleStart(group: string, topics: readonly Topic[], from: 'earliest' | 'latest'): Promise<void> {
    const committed = await this.committed(group, topics)
    const starts: TopicOffsets[] = []
    for (const topic of topics) {
      const known = committed.get(topic.name)
      if (known && [...known.values()].some((offset) => offset !== NONE)) continue
      const partitions = (await this.ends(topic)).map(({ partition, low, end }) => ({
        partition,
        offset: from === 'latest' ? end : low,
      }))
      starts.push({ topic: topic.name, partitions })
    }
    if (starts.length === 0) return
    await this.commit(group, starts).catch((error) => {
      // others are in the group already: theirs is the start
      if (!(error instanceof GroupActiveError)) throw error
    })
  }

  async lag(group: string, topic: Topic): Promise<{ partition: number; committed: number; end: number }[]> {
    const committed = (await this.committed(group, [topic])).get(topic.name)
    return (await this.ends(topic)).map(({ partition, low, end }) => {
      const offset = committed?.get(partition) ?? NONE
      return { partition, committed: offset === NONE ? low : offset, end }
    })
  }

  /** Sets offsets of a group without members; GroupActiveError where it has some. */
  async commit(group: string, topics: readonly TopicOffsets[]): Promise<void> {
    const groupId = this.connection.named(group)
    const cluster = this.connection.cluster()
    try {
      await patiently(this.clock, this.closing.signal, async () => {
        await cluster.connect()
        await cluster.refreshMetadataIfNecessary()
        const coordinator = await cluster.findGroupCoordinator({ groupId })
        await coordinator.offsetCommit({
          groupId,
          groupGenerationId: -1,
          memberId: '',
          topics: topics.map(({ topic, partitions }) => ({
            topic: this.connection.named(topic),
            partitions: partitions.map(({ partition, offset }) => ({ partition, offset: String(offset) })),
          })),
        })
      })
    } catch (error) {
      throw ACTIVE.has(errorType(error) ?? '') ? new GroupActiveError(group) : error
    } finally {
      await cluster.disconnect().catch(() => {})
    }
  }

  async close(): Promise<void> {
    this.closing.abort(new Error('The bus is closed.'))
    const admin = await this.admin?.catch(() => null)
    await admin?.disconnect().catch(() => {})
  }

  private async committed(group: string, topics: readonly Topic[]): Promise<Map<string, Map<number, number>>> {
    const names = new Map(topics.map(({ name }) => [this.connection.named(name), name]))
    const groupId = this.connection.named(group)
    const found = await this.ask((admin) => admin.fetchOffsets({ groupId, topics: [...names.keys()] }))
    return new Map(
      found.map(({ topic, partitions }) => [
        names.get(topic)!,
        new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)])),
      ]),
    )
  }

  private async ends({ name }: Topic): Promise<{ partition: number; low: number; end: number }[]> {
    const offsets = await this.ask((admin) => admin.fetchTopicOffsets(this.connection.named(name)))
    return offsets
      .map(({ partition, low, high }) => ({ partition, low: Number(low), end: Number(high) }))
      .sort((a, b) => a.partition - b.partition)
  }

  /** A broker that starts calls itself the wrong coordinator for a while, which kafkajs takes for an answer. */
  private ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    return patiently(this.clock, this.closing.signal, async () => {
      this.admin ??= this.connect()
      const admin = await this.admin.catch((error) => {
        this.admin = null
        throw error
      })
      return question(admin)
    })
  }

  private async connect(): Promise<Admin> {
    const admin = this.connection.kafka.admin()
    await admin.connect()
    return admin
  }
}

export class GroupActiveError extends Error {
  constructor(group: string) {
    super(`The group ${group} has members elsewhere: stop them before its offsets are set.`)
    this.name = 'GroupActiveError'
  }
}
