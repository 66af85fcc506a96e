import type { PartitionReader } from './partition-reader.ts'
import type { Delivered, Topic } from './port.ts'

export interface Member {
  topics: readonly Topic[]
  maxAttempts: number
  handle: (message: Delivered) => Promise<void>
}
interface Assigned {
  member: Member
  reader: PartitionReader
}

/** Shares the partitions of its topics among its members: each has one reader, at one member, at a time. */
export class ConsumerGroup {
  private readonly members: Member[] = []
  private readonly assigned = new Map<string, Assigned>()
  private change: Promise<void> = Promise.resolve()

  constructor(private readonly read: (topic: Topic, partition: number, member: Member) => Promise<PartitionReader>) {}

  join(member: Member): Promise<void> {
    this.members.push(member)
    return this.queue(() => this.rebalance())
  }

  leave(member: Member): Promise<void> {
    this.members.splice(this.members.indexOf(member), 1)
    return this.queue(() => this.rebalance())
  }

  notify(partition: string): void {
    this.assigned.get(partition)?.reader.notify()
  }

  /** Runs `act` while nobody reads the partition; its reader then starts where the group's offset says. */
  whileStopped(partition: string, act: () => Promise<void>): Promise<void> {
    return this.queue(async () => {
      await this.assigned.get(partition)?.reader.stop()
      this.assigned.delete(partition)
      await act()
      await this.rebalance()
    })
  }

  private queue(act: () => Promise<void>): Promise<void> {
    const next = this.change.then(act)
    this.change = next.catch(() => {})
    return next
  }

  private async rebalance(): Promise<void> {
    const wanted = this.assignment()
    const leaving = [...this.assigned].filter(([name, { member }]) => wanted.get(name)?.member !== member)
    await Promise.all(leaving.map(([, { reader }]) => reader.stop()))
    for (const [name] of leaving) this.assigned.delete(name)
    for (const [name, { topic, partition, member }] of wanted) {
      if (!this.assigned.has(name))
        this.assigned.set(name, { member, reader: await this.read(topic, partition, member) })
    }
  }

  private assignment() {
    const wanted = new Map<string, { topic: Topic; partition: number; member: Member }>()
    for (const topic of new Set(this.members.flatMap(({ topics }) => topics))) {
      const able = this.members.filter(({ topics }) => topics.includes(topic))
      for (let partition = 0; partition < topic.partitions; partition++) {
        wanted.set(`${topic.name}/${partition}`, { topic, partition, member: able[partition % able.length]! })
      }
    }
    return wanted
  }
}
