import { mkdirSync, rmSync, truncateSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { MarketEvent } from '../../domain/market/event.ts'
import { eventText, SEGMENT_EVENTS, type SegmentHead } from '../../domain/proof/segment.ts'
import { Carry } from './carry.ts'
import { FileWriter, type WriterOptions } from './file-writer.ts'
import { eventLine, fenceLine, type Header, headerLine, trailerLine } from './line.ts'
import { CorruptLogError, type MarketLog, type Retained, type Retention } from './port.ts'
import { eventsOfFile, headerOf, headsOfFile, type Place, type PlacedHead, wholeLines } from './segment-file.ts'
import { LogTail } from './tail.ts'

/** events of sealed segments that stay in memory: a live reader that lags a little reads no file */
const KEEP = 65_536
/** files whose heads stay in memory */
const HEADS_KEPT = 8

export interface LogFolderOptions extends WriterOptions {
  folder: string
  fileEvents?: number
  keepEvents?: number
}
type Events = Parameters<MarketLog['append']>[2]
type Carried = Awaited<ReturnType<MarketLog['carry']>>

const START: Place = { offset: 0, epoch: 0 }
const nameOf = (first: number): string => `${String(first).padStart(16, '0')}.log`

/** One group's files. The last one is written; those before it hold whole segments and never change. */
export class LogFolder {
  private writer: FileWriter | null = null
  /** events in the file that is written, and the heads of its segments */
  private written = 0
  private heads: PlacedHead[] = []
  /** where the open segment begins in it */
  private place: Place = { offset: 0, epoch: 0 }
  /** lines that belong before the next ones: the trailer of a segment that has ended */
  private owed = ''
  private readonly closing = new Set<Promise<void>>()
  private readonly olderHeads = new Map<number, Promise<PlacedHead[]>>()

  /** firsts: the least mseq of each file, ascending */
  private constructor(
    private readonly folder: string,
    private readonly options: LogFolderOptions,
    readonly tail: LogTail,
    private readonly firsts: number[],
  ) {}

  static make(group: string, options: LogFolderOptions): LogFolder {
    const folder = join(options.folder, group)
    mkdirSync(folder, { recursive: true })
    return new LogFolder(folder, options, new LogTail(group, options.keepEvents ?? KEEP), [])
  }

  /** Reads the last file again; what a crash tore off its end is cut away. */
  static async open(group: string, options: LogFolderOptions): Promise<LogFolder> {
    const folder = join(options.folder, group)
    const names = (await readdir(folder)).filter((name) => name.endsWith('.log'))
    const firsts = names.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b)
    for (let first = firsts.at(-1); first !== undefined; first = firsts.at(-1)) {
      const opened = await LogFolder.recover(group, folder, options, firsts)
      if (opened) return opened
      options.log?.warn({ path: join(folder, nameOf(first)) }, 'market log: a file without a header was removed')
      rmSync(join(folder, nameOf(first)))
      firsts.pop()
    }
    return LogFolder.make(group, options)
  }
  /** Null when the last file has no whole header. */
  private static async recover(
    group: string,
    folder: string,
    options: LogFolderOptions,
    firsts: number[],
  ): Promise<LogFolder | null> {
    const path = join(folder, nameOf(firsts.at(-1)!))
    const lines = wholeLines(path)
    const start = await lines.next()
    if (start.done || start.value.line.kind !== 'header') return null
    const { first, prev, carry, epoch, mts } = start.value.line.header
    const tail = new LogTail(group, options.keepEvents ?? KEEP, { from: first, prev, carry, epoch, mts })
    const opened = new LogFolder(folder, options, tail, firsts)
    opened.place = { offset: start.value.end, epoch }
    const whole = await opened.takeBack(path, lines)
    const { size } = await stat(path)
    if (size > whole) {
      options.log?.warn({ path, bytes: size - whole }, 'market log: a torn tail was cut off')
      truncateSync(path, whole)
    }
    opened.writer = new FileWriter(path, whole, options)
    return opened
  }
  private async takeBack(path: string, lines: ReturnType<typeof wholeLines>): Promise<number> {
    let run: MarketEvent[] = []
    const take = () => {
      const full = this.tail.push(run, run.map(eventText))
      this.written += run.length
      run = []
      return full
    }
    for (;;) {
      const { done, value } = await lines.next()
      if (done) {
        const full = take()
        if (full) this.ended(full, value)
        return value
      }
      const { line, end } = value
      if (line.kind === 'fence') this.tail.epoch = Math.max(this.tail.epoch, line.epoch)
      // a record counts only under the epoch of the last fence before it
      else if (line.kind === 'event' && line.epoch === this.tail.epoch) run.push(line.event)
      else if (line.kind === 'trailer') {
        const head = take() ?? this.tail.seal()
        if (head?.head !== line.head.head) {
          throw new CorruptLogError(`${path} does not hold what its trailer of ${line.head.last} says`)
        }
        this.placed(head, end)
      }
    }
  }

  fence(epoch: number, repeats?: boolean): void {
    this.tail.fence(epoch, repeats)
    // a new file names its epoch in the header
    if (this.writer) this.put(fenceLine(epoch))
  }

  append(epoch: number, events: Events): void {
    const accepted = this.tail.accept(epoch, events)
    try {
      for (let at = 0; at < accepted.length; ) {
        const n = this.tail.room(accepted, at)
        if (n === 0) this.ended(this.tail.seal()!)
        else this.add(accepted.slice(at, at + n))
        at += n
      }
    } finally {
      this.tail.announce()
    }
  }
  /** events of one segment */
  private add(run: Events): void {
    this.turnPage()
    const texts = run.map(eventText)
    let lines = ''
    for (const text of texts) lines += eventLine(this.tail.epoch, text)
    this.put(lines)
    this.written += run.length
    const full = this.tail.push(run, texts)
    if (!full) return
    this.ended(full)
    this.put('')
  }
  /** Begins another file where a segment begins and this one is full. */
  private turnPage(): void {
    const { fileEvents = SEGMENT_EVENTS } = this.options
    if (this.writer) {
      if (this.written < fileEvents || this.tail.open.events.length > 0) return
      this.put('')
      this.closeLater(this.writer)
      this.writer = null
    }
    const { from, prev, carry } = this.tail.open
    const { group, epoch, mts } = this.tail
    const header: Header = { v: 1, group, prev, first: from, epoch, mts, carry }
    const writer = new FileWriter(join(this.folder, nameOf(from)), 0, this.options)
    try {
      writer.put(headerLine(header))
    } catch (error) {
      writer.discard()
      throw error
    }
    this.writer = writer
    this.firsts.push(from)
    this.written = 0
    this.heads = []
    this.place = { offset: writer.size, epoch }
  }
  private closeLater(writer: FileWriter): void {
    const closed = writer.close().finally(() => this.closing.delete(closed))
    this.closing.add(closed)
  }
  /** at: where the trailer will stand */
  private ended(head: SegmentHead, at = this.writer!.size): void {
    this.owed = trailerLine(head)
    this.placed(head, at + Buffer.byteLength(this.owed))
  }
  /** end: the offset behind its trailer, where the next segment begins */
  private placed(head: SegmentHead, end: number): void {
    this.heads.push({ head, ...this.place })
    this.place = { offset: end, epoch: this.tail.epoch }
  }
  private put(lines: string): void {
    if (this.owed === '' && lines === '') return
    this.writer!.put(this.owed + lines)
    this.owed = ''
  }

  seal(): SegmentHead | null {
    const head = this.tail.seal()
    if (head) this.ended(head)
    if (this.writer) this.put('')
    return head
  }

  async *read(fromMseq: number, signal: AbortSignal): AsyncGenerator<Events> {
    for (let next = fromMseq; !signal.aborted; ) {
      const inMemory = this.tail.held[0]!.from
      const first = this.firstHolding(next)
      if (next < inMemory && first !== undefined && first < inMemory) {
        for await (const batch of eventsOfFile(this.pathOf(first), await this.placeOf(first, next), next, inMemory)) {
          if (signal.aborted) return
          next = batch.at(-1)!.mseq + 1
          yield batch
        }
        const following = this.firsts.find((other) => other > first) ?? inMemory
        next = Math.max(next, Math.min(following, inMemory))
        continue
      }
      const batch = this.tail.batch(next)
      if (batch.length === 0) await this.tail.more(signal)
      else {
        next = batch.at(-1)!.mseq + 1
        yield batch
      }
    }
  }
  private pathOf(first: number): string {
    return join(this.folder, nameOf(first))
  }
  /** The file where `mseq` stands, or the oldest one. */
  private firstHolding(mseq: number): number | undefined {
    return this.firsts.findLast((first) => first <= mseq) ?? this.firsts[0]
  }

  async carry(mseq: number): Promise<Carried> {
    const held = this.tail.segmentAt(mseq)
    if (held) return { from: held.from, events: held.carry, prev: held.prev }
    const first = this.firstHolding(mseq)
    if (first === undefined) return { from: 1, events: [], prev: this.tail.held[0]!.prev }
    const header = await headerOf(this.pathOf(first))
    const heads = await this.headsOf(first)
    const within = heads[firstEnding(heads, mseq)]?.head ?? { first: header.first, prev: header.prev }
    const carry = new Carry(header.carry)
    for await (const batch of eventsOfFile(this.pathOf(first), START, header.first, within.first)) {
      for (const event of batch) carry.apply(event)
    }
    return { from: within.first, events: carry.events(), prev: within.prev }
  }

  async segments(from: number, to: number): Promise<SegmentHead[]> {
    const found: SegmentHead[] = []
    const oldest = Math.max(
      0,
      this.firsts.findLastIndex((first) => first <= from),
    )
    for (const first of this.firsts.slice(oldest)) {
      if (first > to) break
      const heads = await this.headsOf(first)
      for (let at = firstEnding(heads, from); at < heads.length && heads[at]!.head.first <= to; at++) {
        found.push(heads[at]!.head)
      }
    }
    return found
  }
  /** Where to begin to read a file for `mseq`. */
  private async placeOf(first: number, mseq: number): Promise<Place> {
    const heads = await this.headsOf(first)
    return heads[firstEnding(heads, mseq)] ?? START
  }
  private async headsOf(first: number): Promise<readonly PlacedHead[]> {
    if (first === this.firsts.at(-1)) return this.heads
    const known = this.olderHeads.get(first)
    if (known) return known
    const reading = headsOfFile(this.pathOf(first))
    this.olderHeads.set(first, reading)
    if (this.olderHeads.size > HEADS_KEPT) this.olderHeads.delete(this.olderHeads.keys().next().value!)
    return reading
  }

  async retain({ beforeMts, maxBytes }: Retention): Promise<Retained> {
    const sizes = await Promise.all(this.firsts.map(async (first) => (await stat(this.pathOf(first))).size))
    let bytes = sizes.reduce((a, b) => a + b, 0)
    let dropped = 0
    let forSize = 0
    // what memory holds stays in its files whatever its age
    while (this.firsts.length > 1 && this.firsts[1]! <= this.tail.held[0]!.from) {
      const [first, second] = this.firsts as [number, number]
      const old = (await headerOf(this.pathOf(second))).mts < beforeMts
      if (second > this.tail.pinned || (!old && bytes <= maxBytes)) break
      this.firsts.shift()
      this.olderHeads.delete(first)
      await rm(this.pathOf(first))
      bytes -= sizes[dropped++]!
      if (!old) forSize++
    }
    return { bytes, dropped, forSize, first: this.firsts[0] ?? this.tail.last + 1 }
  }

  async close(): Promise<void> {
    this.tail.announce()
    if (this.writer) this.closeLater(this.writer)
    this.writer = null
    await Promise.all(this.closing)
  }
}

/** Index of the first segment that ends at or after `mseq`. */
function firstEnding(heads: readonly PlacedHead[], mseq: number): number {
  let low = 0
  let high = heads.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (heads[middle]!.head.last < mseq) low = middle + 1
    else high = middle
  }
  return low
}
