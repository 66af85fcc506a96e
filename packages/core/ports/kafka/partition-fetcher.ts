import type Cluster from 'kafkajs/src/cluster/index.js'
import type { Clock } from '../clock/port.ts'
import type { KafkaConnection } from './connection.ts'
import { errorType, patiently } from './patiently.ts'

export interface Fetched {
  offset: number
  value: string
}
/** The offset asked for is not there any longer, or not yet. */
export class OutOfRangeError extends Error {}

const WAIT_MS = 500
const MOST_BYTES = 4 * 1024 * 1024

/** Reads one partition from any offset, without a group; a broker that is away is waited out. One call at a time. */
export class PartitionFetcher {
  private cluster: Cluster | null = null

  constructor(
    private readonly connection: KafkaConnection,
    private readonly topic: string,
    private readonly partition: number,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {}

  /** Records from `offset` on; none when nothing comes for a while. OutOfRangeError. */
  async fetch(offset: number, waitMs = WAIT_MS): Promise<Fetched[]> {
    const { topic, partition } = this
    const { responses } = await this.ask(async (cluster) => {
      const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
      const broker = await cluster.findBroker({ nodeId: leader! })
      return broker.fetch({
        maxWaitTime: waitMs,
        minBytes: 1,
        maxBytes: MOST_BYTES,
        isolationLevel: 0,
        topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: MOST_BYTES }] }],
      })
    })
    const fetched: Fetched[] = []
    for (const message of responses[0]?.partitions[0]?.messages ?? []) {
      // a batch is sent whole, also where it begins before
      if (Number(message.offset) < offset || message.isControlRecord || !message.value) continue
      fetched.push({ offset: Number(message.offset), value: message.value.toString() })
    }
    return fetched
  }

  /** The oldest offset, and the one behind the newest. */
  async bounds(): Promise<{ low: number; end: number }> {
    const { topic, partition } = this
    const [low, end] = await this.ask((cluster) =>
      Promise.all(
        [true, false].map(async (fromBeginning) => {
          const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }])
          return Number(found!.partitions[0]!.offset)
        }),
      ),
    )
    return { low: low!, end: end! }
  }

  async close(): Promise<void> {
    const { cluster } = this
    this.cluster = null
    await cluster?.disconnect().catch(() => {})
  }

  private async ask<T>(question: (cluster: Cluster) => Promise<T>): Promise<T> {
    try {
      return await patiently(
        this.clock,
        this.signal,
        async () => {
          this.cluster ??= await this.connect()
          await this.cluster.refreshMetadataIfNecessary()
          return await question(this.cluster)
        },
        // leaders may have moved: everything is looked up again
        () => void this.close(),
      )
    } catch (error) {
      if (errorType(error) === 'OFFSET_OUT_OF_RANGE') throw new OutOfRangeError(String(error))
      throw error
    }
  }

  private async connect(): Promise<Cluster> {
    const cluster = this.connection.cluster()
    try {
      await cluster.connect()
      await cluster.addTargetTopic(this.topic)
      return cluster
    } catch (error) {
      await cluster.disconnect().catch(() => {})
      throw error
    }
  }
}
