import type { Logger } from 'pino'
import type { MarketEvent } from '../../domain/market/event.ts'
import type { SegmentHead } from '../../domain/proof/segment.ts'
import type { Clock } from '../clock/port.ts'
import type { Db } from '../db/port.ts'
import { BatchingProducer } from '../kafka/batching-producer.ts'
import type { KafkaConnection } from '../kafka/connection.ts'
import { OutOfRangeError, PartitionFetcher } from '../kafka/partition-fetcher.ts'
import { Carry } from './carry.ts'
import { KafkaTail } from './kafka-tail.ts'
import { FencedError, type LogEnd, type MarketLog, type Retained, type Retention } from './port.ts'
import { eventRecords, fenceRecord, parseRecord, raiseRecord, sealRecord } from './record.ts'
import { SegmentIndex } from './segment-index.ts'

export interface GroupOptions {
  connection: KafkaConnection
  db: Db
  clock: Clock
  log: Pick<Logger, 'warn'>
  group: string
  topic: string
  partition: number
  keepEvents: number
  carryEvents: number
  signal: AbortSignal
}
type Events = readonly MarketEvent[]
type Carried = Awaited<ReturnType<MarketLog['carry']>>

/** One group's partition, as its leader writes it and everybody reads it. */
export class KafkaGroup {
  private readonly index: SegmentIndex
  private readonly asking: PartitionFetcher
  private opening: Promise<KafkaTail> | null = null
  /** of the leader that this process is; another one for each leadership */
  private leader: { epoch: number; producer: BatchingProducer } | null = null
  /** for what others than the leader write */
  private readonly control: BatchingProducer
  private appending: Promise<unknown> = Promise.resolve()
  private readonly pins = new Map<string, number>()

  constructor(private readonly options: GroupOptions) {
    this.index = new SegmentIndex(options)
    this.asking = this.fetcher()
    this.control = new BatchingProducer(options.connection)
  }

  fence(epoch: number, repeats: boolean): Promise<void> {
    return this.inTurn(() => this.takeOver(epoch, repeats))
  }
  private async takeOver(epoch: number, repeats: boolean): Promise<void> {
    const { connection, group } = this.options
    const { tail, until } = await this.current()
    const behind = () => new FencedError(`epoch ${epoch} of group ${group} is behind ${tail.epoch}`)
    if (tail.epoch > epoch) throw behind()
    await this.leader?.producer.close()
    this.leader = { epoch, producer: new BatchingProducer(connection) }
    const offset = await this.put(this.leader.producer, [fenceRecord(epoch, repeats)])
    await until(offset)
    // another leader's fence came first
    if (tail.epoch !== epoch) throw behind()
    this.index.eager = true
    this.index.store()
  }

  append(epoch: number, events: Events): Promise<void> {
    return this.inTurn(() => this.write(epoch, events))
  }
  private async write(epoch: number, events: Events): Promise<void> {
    if (events.length === 0) return
    const { group } = this.options
    const log = await this.tail()
    if (this.leader?.epoch !== epoch) throw new FencedError(`epoch ${epoch} of group ${group} was not fenced here`)
    const accepted = log.tail.accept(epoch, events)
    const offset = await this.put(this.leader.producer, eventRecords(epoch, accepted))
    // acknowledged is not yet valid: what follows another leader's fence is dropped by every reader
    await log.until(() => log.next > offset)
    if (log.overtaken < epoch) return
    this.index.eager = false
    throw new FencedError(`epoch ${epoch} of group ${group} was overtaken by ${log.tail.epoch}`)
  }

  async end(): Promise<LogEnd | null> {
    return (await this.current()).tail.end()
  }

  async raise(mseq: number): Promise<void> {
    const { tail, until } = await this.current()
    tail.raise(mseq)
    if (mseq > tail.last) await until(await this.put(this.control, [raiseRecord(mseq)]))
  }

  async seal(): Promise<SegmentHead | null> {
    const { tail, until } = await this.current()
    const { last, epoch } = tail
    if (tail.open.events.length === 0) return null
    await until(await this.put(this.control, [sealRecord(epoch, last)]))
    return (await this.segments(last, last)).at(-1) ?? null
  }

  async *read(fromMseq: number, signal: AbortSignal): AsyncGenerator<Events> {
    const log = await this.tail()
    const { tail } = log
    for (let next = fromMseq; !signal.aborted; ) {
      const inMemory = tail.held[0]!.from
      if (next < inMemory) {
        for await (const batch of this.history(next, inMemory, signal)) {
          if (signal.aborted) return
          yield batch
        }
        next = inMemory
        continue
      }
      const batch = tail.batch(next)
      if (batch.length > 0) {
        next = batch.at(-1)!.mseq + 1
        yield batch
        continue
      }
      if (this.options.signal.aborted) return
      log.throwIfFailed()
      await tail.more(signal)
    }
  }

  /** Valid events in [from, before) out of the partition. */
  private async *history(from: number, before: number, signal: AbortSignal): AsyncGenerator<Events> {
    const place = await this.index.at(from)
    const fetcher = this.fetcher(signal)
    try {
      let offset = place?.offset ?? 0
      let epoch: number | null = place?.epoch ?? null
      for (let next = from; next < before; ) {
        const records = await fetcher.fetch(offset).catch(async (error) => {
          if (!(error instanceof OutOfRangeError)) throw error
          offset = Math.max(offset, (await fetcher.bounds()).low)
          epoch = null
          return fetcher.fetch(offset)
        })
        if (signal.aborted || records.length === 0) return
        const batch: MarketEvent[] = []
        for (const { value } of records) {
          const record = parseRecord(value)
          if (record.kind === 'fence') epoch = Math.max(epoch ?? 0, record.epoch)
          if (record.kind !== 'events') continue
          // the oldest record that is held may have no fence before it
          epoch ??= record.epoch
          if (record.epoch !== epoch) continue
          for (const text of record.texts) {
            const event = JSON.parse(text) as MarketEvent
            if (event.mseq >= before) {
              if (batch.length > 0) yield batch
              return
            }
            if (event.mseq >= next) {
              batch.push(event)
              next = event.mseq + 1
            }
          }
        }
        offset = records.at(-1)!.offset + 1
        if (batch.length > 0) yield batch
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      await fetcher.close()
    }
  }

  async carry(mseq: number): Promise<Carried> {
    const { tail } = await this.tail()
    const held = tail.segmentAt(mseq)
    if (held) return { from: held.from, events: held.carry, prev: held.prev }
    const segment = await this.index.at(mseq)
    if (!segment || segment.head.first >= tail.held[0]!.from) {
      const { from, carry, prev } = tail.held[0]!
      return { from, events: carry, prev }
    }
    const { first, prev } = segment.head
    const base = segment.carry ? segment : await this.index.carriedAt(first)
    const carry = new Carry(base?.carry ?? [])
    for await (const events of this.history(base?.head.first ?? 0, first, this.options.signal)) {
      for (const event of events) carry.apply(event)
    }
    return { from: first, events: carry.events(), prev }
  }

  async segments(from: number, to: number): Promise<SegmentHead[]> {
    const { tail } = await this.tail()
    const inMemory = tail.held[0]!.from
    const recent = tail.heads(Math.max(from, inMemory), to)
    if (from >= inMemory) return recent
    return [...(await this.index.heads(from, Math.min(to, inMemory - 1))), ...recent]
  }

  pin(id: string, mseq: number | null): void {
    if (mseq === null) this.pins.delete(id)
    else this.pins.set(id, mseq)
  }

  async retain({ beforeMts }: Retention): Promise<Retained> {
    const { tail } = await this.current()
    const { low } = await this.asking.bounds()
    const { first, ...retained } = await this.index.retain(low, beforeMts)
    // what a proof needs stays in the archive, so nobody may take it for dropped
    return { ...retained, first: Math.min(first ?? tail.held[0]!.from, ...this.pins.values()) }
  }

  async close(): Promise<void> {
    await this.leader?.producer.close()
    await this.control.close()
    await this.asking.close()
    await this.index.close()
  }

  /** The tail once it has read everything that was in the log when this was called. */
  private async current(): Promise<{ tail: KafkaTail['tail']; until: (offset: number) => Promise<void> }> {
    const log = await this.tail()
    const { end } = await this.asking.bounds()
    await log.until(() => log.next >= end)
    return { tail: log.tail, until: (offset) => log.until(() => log.next > offset) }
  }

  private tail(): Promise<KafkaTail> {
    const { group, log, signal, keepEvents, carryEvents } = this.options
    this.opening ??= KafkaTail.open({
      group,
      fetcher: this.fetcher(),
      index: this.index,
      log,
      signal,
      keepEvents,
      carryEvents,
    }).catch((error) => {
      this.opening = null
      throw error
    })
    return this.opening
  }

  /** The offset of the last record; FencedError where it cannot be known what became of them. */
  private async put(producer: BatchingProducer, values: readonly string[]): Promise<number> {
    const { topic, partition, group } = this.options
    try {
      const places = await producer.send(values.map((value) => ({ topic, partition, key: group, value })))
      return Math.max(...places.filter((place) => place.partition === partition).map(({ last }) => last))
    } catch (cause) {
      if (producer === this.leader?.producer) this.leader = null
      throw new FencedError(`group ${group}: it is not known whether a write arrived; it must be fenced again`, {
        cause,
      })
    }
  }

  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.appending.then(act)
    this.appending = turn.catch(() => {})
    return turn
  }

  private fetcher(signal = this.options.signal): PartitionFetcher {
    const { connection, topic, partition, clock } = this.options
    return new PartitionFetcher(connection, topic, partition, clock, signal)
  }
}
