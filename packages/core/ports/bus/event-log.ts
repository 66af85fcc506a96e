import type { Delivered, Envelope } from './port.ts'

export type Stored = Omit<Delivered, 'attempt'>

/** Where events of topics are kept and how far each group has come. Partitions are found by the hash of the key. */
export interface EventLog {
  append(envelopes: readonly Envelope[]): Promise<void>
  /** events from `offset` on, ascending; offsets may have holes */
  read(topic: string, partition: number, offset: number, limit: number): Promise<Stored[]>
  /** the offset after the last event */
  end(topic: string, partition: number): Promise<number>
  /** by partition; without an entry the group has never been there */
  committed(group: string, topic: string): Promise<Map<number, number>>
  commit(group: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void>
}
