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

  /** `read` starts readers of one topic's partitions for a member, in their order */
  constructor(
    private readonly read: (topic: Topic, partitions: readonly number[], member: Member) => Promise<PartitionReader[]>,
  ) {}

  get active(): boolean {
    return this.members.length > 0
  }

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
    const leaving = [...this.assigned].filter(([name, { member }]) => wanted.get(name) !== member)
    await Promise.all(leaving.map(([, { reader }]) => reader.stop()))
    for (const [name] of leaving) this.assigned.delete(name)
    for (const member of this.members) {
      for (const topic of member.topics) await this.assign(topic, member, wanted)
    }
  }

  private async assign(topic: Topic, member: Member, wanted: ReadonlyMap<string, Member>): Promise<void> {
    const missing = partitionsOf(topic).filter((partition) => {
      const name = `${topic.name}/${partition}`
      return wanted.get(name) === member && !this.assigned.has(name)
    })
    const readers = await this.read(topic, missing, member)
    for (const [i, reader] of readers.entries()) this.assigned.set(`${topic.name}/${missing[i]}`, { member, reader })
  }

  private assignment(): Map<string, Member> {
    const wanted = new Map<string, Member>()
    for (const topic of this.members.flatMap(({ topics }) => topics)) {
      const able = this.members.filter(({ topics }) => topics.some(({ name }) => name === topic.name))
      for (const partition of partitionsOf(topic))
        wanted.set(`${topic.name}/${partition}`, able[partition % able.length]!)
    }
    return wanted
  }
}

const partitionsOf = ({ partitions }: Topic): number[] =>
  Array.from({ length: partitions }, (_, partition) => partition)
