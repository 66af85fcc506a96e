import type { EventLog, Stored } from './event-log.ts'
import type { Envelope, Topic } from './port.ts'

interface Partition {
  /** offset of items[0] */
  first: number
  items: string[]
  /** how far each group has come */
  groups: Map<string, number>
  waiting: (() => void)[]
}

/**
 * Topics that are derived from the market log: in memory, newest `capacity` of each partition. A publisher waits while
 * a group has not handled what would have to be dropped.
 */
export class RingLog implements EventLog {
  private readonly partitions = new Map<string, Partition>()

  constructor(
    private readonly topicOf: (name: string) => Topic,
    /** a group without members holds nobody up: it misses what is dropped while it is away */
    private readonly isActive: (group: string) => boolean,
    private readonly capacity = 10_000,
  ) {}

  /** A group has lost its members: whoever waited for it looks again. */
  resume(): void {
    for (const { waiting } of this.partitions.values()) {
      for (const look of waiting.splice(0)) look()
    }
  }

  async append(envelopes: readonly Envelope[]): Promise<void> {
    for (const envelope of envelopes) {
      const { partitions } = this.topicOf(envelope.topic)
      const partition = this.at(envelope.topic, Number(Bun.hash(envelope.key) % BigInt(partitions)))
      while (partition.items.length >= this.capacity && !this.drop(partition)) {
        await new Promise<void>((resolve) => partition.waiting.push(resolve))
      }
      partition.items.push(JSON.stringify(envelope))
    }
  }

  async read(topic: string, partition: number, offset: number, limit: number): Promise<Stored[]> {
    const { first, items } = this.at(topic, partition)
    const from = Math.max(offset - first, 0)
    return items.slice(from, from + limit).map((text, i) => ({
      envelope: JSON.parse(text) as Envelope,
      partition,
      offset: first + from + i,
    }))
  }

  async end(topic: string, partition: number): Promise<number> {
    const { first, items } = this.at(topic, partition)
    return first + items.length
  }

  async committed(group: string, topic: string): Promise<Map<number, number>> {
    const committed = new Map<number, number>()
    for (let partition = 0; partition < this.topicOf(topic).partitions; partition++) {
      const offset = this.at(topic, partition).groups.get(group)
      if (offset !== undefined) committed.set(partition, offset)
    }
    return committed
  }

  async commit(group: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    for (const [partition, offset] of offsets) {
      const { groups, waiting } = this.at(topic, partition)
      groups.set(group, offset)
      for (const look of waiting.splice(0)) look()
    }
  }

  /** Drops what every group has handled, half a ring at most; false when the slowest group still needs the first one. */
  private drop(partition: Partition): boolean {
    const groups = [...partition.groups].filter(([group]) => this.isActive(group)).map(([, offset]) => offset)
    const needed = Math.min(partition.first + this.capacity / 2, ...groups)
    if (needed <= partition.first) return false
    partition.items.splice(0, needed - partition.first)
    partition.first = needed
    return true
  }

  private at(topic: string, partition: number): Partition {
    const name = `${topic}/${partition}`
    let found = this.partitions.get(name)
    if (!found) {
      found = { first: 0, items: [], groups: new Map(), waiting: [] }
      this.partitions.set(name, found)
    }
    return found
  }
}
