import type { MarketEvent } from '../../domain/market/event.ts'
import { NO_HEAD, SegmentBuilder, type SegmentHead, sortMembers } from '../../domain/proof/segment.ts'
import { bunHash } from './bun-hash.ts'
import { Carry } from './carry.ts'
import { FencedError, type LogEnd, LostEventsError } from './port.ts'

/** One segment as it is held in memory. */
export interface Held {
  /** the least mseq that may stand here */
  from: number
  prev: string
  /** what stood before its first event */
  carry: MarketEvent[]
  events: MarketEvent[]
  /** null while it is open */
  head: SegmentHead | null
}

const BATCH = 1024

/** The end of one group's log in memory: segments, epoch, newest events of each symbol, and those who wait for more. */
export class LogTail {
  epoch = 0
  last = 0
  mts = 0
  /** what a store knows of; above `last` only after a loss */
  floor = 0
  readonly pins = new Map<string, number>()
  private repeats = false
  readonly held: Held[]
  private readonly builder: SegmentBuilder
  private readonly carry: Carry
  private waiting = new Set<() => void>()
  /** signals that are listened to: one listener each, however often it is waited with */
  private readonly heard = new WeakSet<AbortSignal>()

  private keptEvents = 0

  /** keep: sealed segments stay in memory while they hold no more events than this, the newest always */
  constructor(
    readonly group: string,
    private readonly keep: number,
    start: { from: number; prev: string; carry: MarketEvent[]; epoch: number; mts: number } = {
      from: 1,
      prev: NO_HEAD,
      carry: [],
      epoch: 0,
      mts: 0,
    },
  ) {
    this.builder = new SegmentBuilder(start.prev, start.carry, bunHash())
    this.carry = new Carry(start.carry)
    this.epoch = start.epoch
    this.last = start.from - 1
    this.mts = start.mts
    this.held = [{ from: start.from, prev: start.prev, carry: start.carry, events: [], head: null }]
  }

  get open(): Held {
    return this.held.at(-1)!
  }
  /** the lowest mseq that somebody needs */
  get pinned(): number {
    return Math.min(...this.pins.values())
  }
  pin(id: string, mseq: number | null): void {
    if (mseq === null) this.pins.delete(id)
    else this.pins.set(id, mseq)
  }
  end(): LogEnd | null {
    return this.last === 0 ? null : { mseq: this.last, mts: this.mts, epoch: this.epoch }
  }

  raise(mseq: number): void {
    this.floor = Math.max(this.floor, mseq)
  }

  fence(epoch: number, repeats = false): void {
    if (epoch < this.epoch) throw new FencedError(`epoch ${epoch} of group ${this.group} is behind ${this.epoch}`)
    this.epoch = epoch
    this.repeats = repeats
  }

  /** Throws unless these events may follow, all of them. Gives them with members in canonical order. */
  accept(epoch: number, events: readonly MarketEvent[]): MarketEvent[] {
    if (epoch !== this.epoch)
      throw new FencedError(`epoch ${epoch} of group ${this.group} is not the fenced ${this.epoch}`)
    const first = events[0]
    if (first && !this.repeats && this.floor > this.last && !(first.kind === 'gap' && first.mseq > this.floor))
      throw new LostEventsError(this.floor)
    let { last, mts } = this
    for (const event of events) {
      const follows = event.mseq === last + 1 || (event.kind === 'gap' && event.mseq > last)
      if (!follows || event.mts < mts) {
        throw new RangeError(`event ${event.mseq} at ${event.mts} cannot follow event ${last} at ${mts}`)
      }
      last = event.mseq
      mts = event.mts
    }
    return events.map(sortMembers)
  }

  /** How many of events[at...] still belong to the open segment; 0: it ends before events[at]. */
  room(events: readonly MarketEvent[], at: number): number {
    return this.builder.room(events, at)
  }

  /** Takes accepted events of one segment in; the head when its count is full. */
  push(events: readonly MarketEvent[], texts: readonly string[]): SegmentHead | null {
    let full: SegmentHead | null = null
    const into = this.open.events
    for (let i = 0; i < events.length; i++) {
      const event = events[i]!
      full = this.builder.add(event, texts[i]!)
      this.carry.apply(event)
      into.push(event)
    }
    const newest = events.at(-1)
    if (newest) {
      this.last = newest.mseq
      this.mts = newest.mts
    }
    if (full) this.sealed(full)
    return full
  }

  /** Ends the open segment; null when it is empty. */
  seal(): SegmentHead | null {
    const head = this.builder.seal()
    if (head) this.sealed(head)
    return head
  }
  private sealed(head: SegmentHead): void {
    this.open.head = head
    this.held.push({ from: head.last + 1, prev: head.head, carry: this.carry.events(), events: [], head: null })
    this.keptEvents += this.held.at(-2)!.events.length
    let surplus = 0
    while (surplus < this.held.length - 2 && this.keptEvents > this.keep)
      this.keptEvents -= this.held[surplus++]!.events.length
    if (surplus > 0) this.held.splice(0, surplus)
  }

  /** Forgets sealed segments that end before a mseq. */
  forget(before: number): void {
    while (this.held.length > 1 && this.held[0]!.head!.last < before)
      this.keptEvents -= this.held.shift()!.events.length
  }

  /** The segment in memory where a reader of `mseq` looks; undefined: it is older. */
  segmentAt(mseq: number): Held | undefined {
    return this.held[this.indexAt(mseq)]
  }
  /** Heads of the sealed segments in memory that hold one of these events. */
  heads(from: number, to: number): SegmentHead[] {
    const heads: SegmentHead[] = []
    for (let at = Math.max(0, this.indexAt(from)); at < this.held.length && this.held[at]!.from <= to; at++) {
      const { head } = this.held[at]!
      if (head && head.first <= to && head.last >= from) heads.push(head)
    }
    return heads
  }
  private indexAt(mseq: number): number {
    let low = 0
    let high = this.held.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.held[middle]!.from <= mseq) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** About 1,024 events from `mseq` on that are in memory; [] at the end. */
  batch(mseq: number): MarketEvent[] {
    let index = Math.max(0, this.indexAt(mseq))
    const { events } = this.held[index]!
    const at = firstAtOrAfter(events, mseq)
    const out = events.slice(at, at + BATCH)
    while (out.length < BATCH && ++index < this.held.length)
      out.push(...this.held[index]!.events.slice(0, BATCH - out.length))
    return out
  }

  /** Tells readers that there is more. */
  announce(): void {
    const waiting = this.waiting
    this.waiting = new Set()
    for (const resolve of waiting) resolve()
  }
  /** Resolves at the next announcement or when the signal aborts; now and then for no reason. */
  async more(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    if (!this.heard.has(signal)) {
      this.heard.add(signal)
      signal.addEventListener('abort', () => this.announce(), { once: true })
    }
    await new Promise<void>((resolve) => this.waiting.add(resolve))
  }
}

function firstAtOrAfter(events: readonly MarketEvent[], mseq: number): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (events[middle]!.mseq < mseq) low = middle + 1
    else high = middle
  }
  return low
}
