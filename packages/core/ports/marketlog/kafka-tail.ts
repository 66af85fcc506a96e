import type { Logger } from 'pino'
import type { MarketEvent } from '../../domain/market/event.ts'
import { NO_HEAD, type SegmentHead } from '../../domain/proof/segment.ts'
import { type Fetched, OutOfRangeError, type PartitionFetcher } from '../kafka/partition-fetcher.ts'
import { CorruptLogError } from './port.ts'
import { type LogRecord, parseRecord } from './record.ts'
import type { SegmentIndex } from './segment-index.ts'
import { LogTail } from './tail.ts'

export interface TailOptions {
  group: string
  fetcher: PartitionFetcher
  index: SegmentIndex
  log: Pick<Logger, 'warn'>
  signal: AbortSignal
  /** events of sealed segments that stay in memory */
  keepEvents: number
  /** the index holds what stood before a segment once in so many events */
  carryEvents: number
}
interface Start {
  tail: LogTail
  offset: number
}
interface Waiter {
  ready: () => boolean
  resolve: () => void
  reject: (error: unknown) => void
}

/** Reads one group's partition: the valid records, from the newest indexed segment to the end and on, cut into segments. */
export class KafkaTail {
  /** the offset behind the last record taken */
  next: number
  private failure: unknown
  private readonly waiters = new Set<Waiter>()
  private place = { offset: 0, epoch: 0 }
  private bytes = 0
  private sinceCarry = Number.POSITIVE_INFINITY
  /** records of an overtaken leader that were dropped, newest epoch: it must hear of it */
  overtaken = 0

  private constructor(
    private readonly options: TailOptions,
    readonly tail: LogTail,
    offset: number,
  ) {
    this.next = offset
  }

  /** Resolves when it has read what was there. */
  static async open(options: TailOptions): Promise<KafkaTail> {
    const { tail, offset } = await start(options)
    const opened = new KafkaTail(options, tail, offset)
    const { end } = await options.fetcher.bounds()
    void opened.run()
    await opened.until(() => opened.next >= end)
    return opened
  }

  /** Resolves when it holds, looked at after each batch of records; rejects when the log cannot be read on. */
  until(ready: () => boolean): Promise<void> {
    if (this.failure) return Promise.reject(this.failure)
    if (ready()) return Promise.resolve()
    return new Promise((resolve, reject) => this.waiters.add({ ready, resolve, reject }))
  }
  throwIfFailed(): void {
    if (this.failure) throw this.failure
  }

  private async run(): Promise<void> {
    const { fetcher, signal } = this.options
    try {
      while (!signal.aborted) {
        const records = await fetcher.fetch(this.next)
        if (records.length === 0) continue
        for (const record of records) this.take(record)
        this.tail.announce()
        for (const waiter of this.waiters) {
          if (!waiter.ready()) continue
          this.waiters.delete(waiter)
          waiter.resolve()
        }
      }
      this.fail(signal.reason)
    } catch (error) {
      this.fail(error instanceof OutOfRangeError ? this.lost() : error)
    } finally {
      await fetcher.close()
    }
  }
  private fail(error: unknown): void {
    this.failure = error ?? new Error('the market log is closed')
    for (const { reject } of this.waiters) reject(this.failure)
    this.waiters.clear()
    this.tail.announce()
  }
  private lost(): CorruptLogError {
    return new CorruptLogError(`group ${this.options.group}: offset ${this.next} is not in the log any longer`)
  }

  private take({ offset, value }: Fetched): void {
    this.next = offset + 1
    const record = this.parse(offset, value)
    const { tail } = this
    if (record.kind === 'raise') tail.raise(record.mseq)
    else if (record.kind === 'fence') {
      if (record.epoch >= tail.epoch) tail.fence(record.epoch, record.repeats)
    } else if (record.epoch !== tail.epoch) this.drop(record)
    else if (record.kind === 'events') this.takeEvents(record.texts, offset, value.length)
    else if (record.last === tail.last) this.sealed(tail.seal())
  }
  private parse(offset: number, value: string): LogRecord {
    try {
      return parseRecord(value)
    } catch (cause) {
      throw new CorruptLogError(`group ${this.options.group}: the record at offset ${offset} is none of this log`, {
        cause,
      })
    }
  }
  /** A late write of a leader that another one has followed: it never happened. */
  private drop({ epoch }: { epoch: number }): void {
    const { group, log } = this.options
    if (epoch > this.overtaken) log.warn({ group, epoch, by: this.tail.epoch }, 'market log: a late write was dropped')
    this.overtaken = Math.max(this.overtaken, epoch)
  }

  private takeEvents(all: readonly string[], offset: number, bytes: number): void {
    const { tail } = this
    let texts = all
    let events = texts.map((text) => JSON.parse(text) as MarketEvent)
    const known = events.findIndex(({ mseq }) => mseq > tail.last)
    // the segment that it begins with may begin within a record
    if (known !== 0) {
      texts = known < 0 ? [] : texts.slice(known)
      events = known < 0 ? [] : events.slice(known)
    }
    for (let at = 0; at < events.length; ) {
      const n = tail.room(events, at)
      if (n === 0) {
        this.sealed(tail.seal())
        continue
      }
      if (tail.open.events.length === 0) this.place = { offset, epoch: tail.epoch }
      this.bytes += Math.round((bytes * n) / all.length)
      this.sealed(tail.push(events.slice(at, at + n), texts.slice(at, at + n)))
      at += n
    }
  }

  private sealed(head: SegmentHead | null): void {
    if (!head) return
    const { index, carryEvents } = this.options
    // `sealed` of the tail has begun the next segment already
    const held = this.tail.segmentAt(head.first)
    const withCarry = this.sinceCarry >= carryEvents && held !== undefined
    this.sinceCarry = (withCarry ? 0 : this.sinceCarry) + countOf(head)
    index.add({ head, ...this.place, bytes: this.bytes, carry: withCarry ? held.carry : null })
    this.bytes = 0
  }
}

const countOf = ({ groups }: SegmentHead): number => Object.values(groups).reduce((sum, { count }) => sum + count, 0)

/** Where the reading begins: at the newest segment whose carry is indexed, else at the oldest record. */
async function start({ group, fetcher, index, keepEvents, log }: TailOptions): Promise<Start> {
  const { low, end } = await fetcher.bounds()
  const newest = await index.newestCarried()
  if (newest && newest.offset >= low && !(await holds(fetcher, newest, end))) {
    log.warn({ group, mseq: newest.head.last }, 'market log: the index speaks of another log and is dropped')
    await index.clear()
  } else if (newest) {
    const { head, epoch, offset, carry } = newest
    if (offset >= low) return { tail: tailFrom(group, keepEvents, head.first, head.prev, carry!, epoch), offset }
    // nothing was written for as long as the log is kept: it goes on behind what is known
    const last = (await index.at(Number.MAX_SAFE_INTEGER))!
    return {
      tail: tailFrom(group, keepEvents, last.head.last + 1, last.head.head, carry!, last.epoch, last.head.lastMts),
      offset: low,
    }
  }
  const first = low > 0 && low < end ? await firstOf(fetcher, low) : null
  if (!first) return { tail: new LogTail(group, keepEvents), offset: low }
  log.warn({ group, from: first.mseq }, 'market log: its beginning is not held and not indexed')
  return { tail: tailFrom(group, keepEvents, first.mseq, undefined, [], first.epoch), offset: low }
}

function tailFrom(
  group: string,
  keep: number,
  from: number,
  prev: string | undefined,
  carry: MarketEvent[],
  epoch: number,
  mts = 0,
): LogTail {
  return new LogTail(group, keep, { from, prev: prev ?? NO_HEAD, carry, epoch, mts })
}

async function holds(fetcher: PartitionFetcher, { offset, head }: { offset: number; head: SegmentHead }, end: number) {
  if (offset >= end) return false
  const [record] = await fetcher.fetch(offset)
  if (record?.offset !== offset) return false
  const parsed = parseRecord(record.value)
  return parsed.kind === 'events' && parsed.texts.some((text) => (JSON.parse(text) as MarketEvent).mseq === head.first)
}

/** The first event that is held, and its epoch. */
async function firstOf(fetcher: PartitionFetcher, low: number): Promise<{ mseq: number; epoch: number } | null> {
  for (const { value } of await fetcher.fetch(low)) {
    const record = parseRecord(value)
    if (record.kind === 'events')
      return { mseq: (JSON.parse(record.texts[0]!) as MarketEvent).mseq, epoch: record.epoch }
  }
  return null
}
