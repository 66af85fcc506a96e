import { closeSync, fdatasync, ftruncateSync, mkdirSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { eventText, type SegmentHead } from '../../domain/proof/segment.ts'
import type { Clock } from '../clock/port.ts'
import { eventLine, fenceLine, type Header, headerLine, trailerLine } from './line.ts'
import { DiskFullError, type MarketLog, type Retained, type Retention } from './port.ts'
import { createReserve, RESERVE_BYTES, type Reserve } from './reserve.ts'
import { eventsOfFile, headerOf, scanFile, trailerOf } from './segment-file.ts'
import { LogTail } from './tail.ts'

const SYNC_MS = 50
/** sealed segments that stay in memory: a live reader that lags a little reads no file */
const KEEP = 1

export interface SegmentLogOptions {
  folder: string
  clock: Clock
  log?: { warn(fields: object, message: string): void }
  reserveBytes?: number
  /** writes all of it or throws, as the disk would; a test gives one that runs out of space */
  write?: (file: number, text: string) => void
}

/** The embedded market log: one folder a group, one file a segment, checksums on every line. */
export async function openSegmentLog(options: SegmentLogOptions): Promise<MarketLog> {
  mkdirSync(options.folder, { recursive: true })
  const reserve = createReserve(join(options.folder, 'reserve'), options.reserveBytes ?? RESERVE_BYTES)
  const groups = new Map<string, SegmentFolder>()
  for (const entry of await readdir(options.folder, { withFileTypes: true })) {
    if (entry.isDirectory()) groups.set(entry.name, await SegmentFolder.open(entry.name, options, reserve))
  }
  const folderOf = (group: string): SegmentFolder => {
    let folder = groups.get(group)
    if (!folder) {
      if (!/^[a-z0-9-]{1,40}$/.test(group)) throw new RangeError(`not a group name: ${group}`)
      mkdirSync(join(options.folder, group), { recursive: true })
      folder = new SegmentFolder(group, options, reserve, new LogTail(group, KEEP), [])
      groups.set(group, folder)
    }
    return folder
  }
  return {
    fence: async (group, epoch, repeats) => folderOf(group).fence(epoch, repeats),
    append: async (group, epoch, events) => folderOf(group).append(epoch, events),
    end: async (group) => folderOf(group).tail.end(),
    async raise(group, mseq) {
      const { tail } = folderOf(group)
      tail.floor = Math.max(tail.floor, mseq)
    },
    read: (group, fromMseq, signal) => folderOf(group).read(fromMseq, signal),
    carry: async (group, mseq) => folderOf(group).carry(mseq),
    segments: async (group, from, to) => folderOf(group).segments(from, to),
    seal: async (group) => folderOf(group).seal(),
    pin: (group, id, mseq) => folderOf(group).tail.pin(id, mseq),
    retain: async (group, limits) => folderOf(group).retain(limits),
    disk: () => reserve.state(),
    giveUpReserve: () => reserve.giveUp(),
    recoverDisk: () => reserve.recover(),
    async close() {
      for (const folder of groups.values()) await folder.close()
    },
  }
}

const nameOf = (first: number): string => `${String(first).padStart(16, '0')}.log`

type Events = Parameters<MarketLog['append']>[2]

/** One group's files. The last one is written; those before it are sealed and never change. */
class SegmentFolder {
  private file: number | null = null
  private size = 0
  private dirty = false
  private syncing: Promise<void> = Promise.resolve()
  private syncFailed: unknown
  private readonly closing = new AbortController()
  /** head of a sealed segment whose trailer is not written yet: the disk was full */
  private ending: SegmentHead | null = null
  private readonly write: (file: number, text: string) => void

  /** firsts: the least mseq of each file, ascending */
  constructor(
    group: string,
    private readonly options: SegmentLogOptions,
    private readonly reserve: Reserve,
    readonly tail: LogTail,
    private readonly firsts: number[],
  ) {
    this.folder = join(options.folder, group)
    this.write = options.write ?? writeAll
  }
  private readonly folder: string

  /** Reads the last file again; what a crash tore off its end is cut away. */
  static async open(group: string, options: SegmentLogOptions, reserve: Reserve): Promise<SegmentFolder> {
    const folder = join(options.folder, group)
    const firsts = (await readdir(folder))
      .filter((name) => name.endsWith('.log'))
      .map((name) => Number.parseInt(name, 10))
    firsts.sort((a, b) => a - b)
    for (;;) {
      const first = firsts.at(-1)
      if (first === undefined) return new SegmentFolder(group, options, reserve, new LogTail(group, KEEP), [])
      const path = join(folder, nameOf(first))
      const scanned = await scanFile(path)
      if (!scanned) {
        options.log?.warn({ path }, 'market log: a segment without a header was removed')
        rmSync(path)
        firsts.pop()
        continue
      }
      const { size } = await stat(path)
      if (size > scanned.whole) {
        options.log?.warn({ path, bytes: size - scanned.whole }, 'market log: a torn tail was cut off')
        truncateSync(path, scanned.whole)
      }
      const { header, events, trailer } = scanned
      const tail = new LogTail(group, KEEP, {
        from: header.first,
        prev: header.prev,
        carry: header.carry,
        epoch: scanned.epoch,
        mts: header.mts,
      })
      const opened = new SegmentFolder(group, options, reserve, tail, firsts)
      const full = tail.push(events, events.map(eventText))
      const head = full ?? (trailer && tail.seal())
      if (trailer && trailer.head !== head?.head) throw new Error(`${path} does not hold what its trailer says`)
      if (!trailer) {
        opened.file = openSync(path, 'a')
        opened.size = scanned.whole
        if (head) opened.finish(head)
      }
      return opened
    }
  }

  fence(epoch: number, repeats?: boolean): void {
    this.settle()
    this.tail.fence(epoch, repeats)
    // a new file names its epoch in the header
    if (this.file !== null) this.put(fenceLine(epoch))
  }

  append(epoch: number, events: Events): void {
    this.settle()
    const accepted = this.tail.accept(epoch, events)
    try {
      for (let at = 0; at < accepted.length; ) {
        const n = this.tail.room(accepted, at)
        if (n === 0) this.seal()
        const run = accepted.slice(at, at + n)
        this.add(run)
        at += n
      }
    } finally {
      this.tail.announce()
    }
  }
  private add(run: Events): void {
    if (run.length === 0) return
    const texts = run.map(eventText)
    if (this.file === null) this.start()
    const { epoch } = this.tail
    let lines = ''
    for (const text of texts) lines += eventLine(epoch, text)
    this.put(lines)
    const full = this.tail.push(run, texts)
    if (full) this.finish(full)
  }

  /** A new file for the open segment. */
  private start(): void {
    const { from, prev, carry } = this.tail.open
    const header: Header = {
      v: 1,
      group: this.tail.group,
      prev,
      first: from,
      epoch: this.tail.epoch,
      mts: this.tail.mts,
      carry,
    }
    const path = join(this.folder, nameOf(from))
    this.file = openSync(path, 'a')
    this.size = 0
    try {
      this.put(headerLine(header))
    } catch (error) {
      closeSync(this.file)
      this.file = null
      rmSync(path, { force: true })
      throw error
    }
    this.firsts.push(from)
  }

  /** All or nothing. A full disk costs the reserve first. */
  private put(text: string): void {
    for (;;) {
      try {
        this.write(this.file!, text)
        break
      } catch (error) {
        ftruncateSync(this.file!, this.size)
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        if (this.reserve.giveUp()) {
          this.options.log?.warn({ group: this.tail.group }, 'the disk is full: the reserve was given up')
          continue
        }
        this.reserve.exhausted()
        throw new DiskFullError('no space left for the market log', { cause: error })
      }
    }
    this.size += Buffer.byteLength(text)
    this.sync()
  }

  /** fdatasync on the thread pool, at most one every 50 ms. */
  private sync(): void {
    if (this.dirty) return
    this.dirty = true
    this.after(async () => {
      await this.options.clock.sleep(SYNC_MS, this.closing.signal).catch(() => {})
      this.dirty = false
      if (this.file !== null) await syncFile(this.file)
    })
  }
  /** In order, off the caller's path; what fails stops the next append. */
  private after(task: () => Promise<void>): void {
    this.syncing = this.syncing.then(task).catch((error) => {
      this.syncFailed = error
    })
  }

  seal(): SegmentHead | null {
    this.settle()
    const head = this.tail.seal()
    if (head) this.finish(head)
    return head
  }
  private finish(head: SegmentHead): void {
    this.ending = head
    this.settle()
  }
  private settle(): void {
    if (this.syncFailed) throw new Error('the market log could not be synced to disk', { cause: this.syncFailed })
    if (!this.ending) return
    const file = this.file!
    this.put(trailerLine(this.ending))
    this.ending = null
    this.file = null
    this.after(async () => {
      await syncFile(file)
      closeSync(file)
    })
  }

  async *read(fromMseq: number, signal: AbortSignal): AsyncGenerator<Events> {
    for (let next = fromMseq; !signal.aborted; ) {
      const first = this.firstHolding(next)
      if (!this.tail.segmentAt(next) && first !== undefined && first < this.tail.held[0]!.from) {
        for await (const batch of eventsOfFile(join(this.folder, nameOf(first)), next)) {
          if (signal.aborted) return
          next = batch.at(-1)!.mseq + 1
          yield batch
        }
        next = Math.max(next, this.firsts[this.firsts.indexOf(first) + 1] ?? this.tail.held[0]!.from)
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
  /** The file where `mseq` stands, or the oldest one. */
  private firstHolding(mseq: number): number | undefined {
    return this.firsts.findLast((first) => first <= mseq) ?? this.firsts[0]
  }

  async carry(mseq: number): Promise<{ from: number; events: Header['carry']; prev: string }> {
    const held = this.tail.segmentAt(mseq)
    if (held) return { from: held.from, events: held.carry, prev: held.prev }
    const first = this.firstHolding(mseq)
    if (first === undefined) return { from: 1, events: [], prev: this.tail.held[0]!.prev }
    const header = await headerOf(join(this.folder, nameOf(first)))
    return { from: header.first, events: header.carry, prev: header.prev }
  }

  async segments(from: number, to: number): Promise<SegmentHead[]> {
    const heads: SegmentHead[] = []
    // both as of now: the log goes on while files are read
    const held = new Map(this.tail.held.map((s) => [s.from, s]))
    const firsts = this.firsts.slice()
    for (let i = 0; i < firsts.length; i++) {
      const first = firsts[i]!
      if (first > to || (firsts[i + 1] ?? Number.POSITIVE_INFINITY) <= from) continue
      const inMemory = held.get(first)
      const head = inMemory ? inMemory.head : await trailerOf(join(this.folder, nameOf(first)))
      if (head && head.first <= to && head.last >= from) heads.push(head)
    }
    return heads
  }

  async retain({ beforeMts, maxBytes }: Retention): Promise<Retained> {
    const paths = this.firsts.map((first) => join(this.folder, nameOf(first)))
    const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size))
    let bytes = sizes.reduce((a, b) => a + b, 0)
    let dropped = 0
    let forSize = 0
    // memory holds the newest ones: they stay whatever their age
    const most = this.firsts.filter((first) => first < this.tail.held[0]!.from).length
    for (let i = 0; i < most; i++) {
      const head = await trailerOf(paths[i]!)
      const old = head.lastMts < beforeMts
      if (head.last >= this.tail.pinned || (!old && bytes <= maxBytes)) break
      await rm(paths[i]!)
      this.firsts.shift()
      bytes -= sizes[i]!
      dropped++
      if (!old) forSize++
    }
    return { bytes, dropped, forSize, first: this.firsts[0] ?? this.tail.last + 1 }
  }

  async close(): Promise<void> {
    this.tail.announce()
    this.closing.abort()
    await this.syncing
    if (this.file === null) return
    const { file } = this
    this.file = null
    await syncFile(file)
    closeSync(file)
  }
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}
function syncFile(file: number): Promise<void> {
  return new Promise((resolve, reject) => fdatasync(file, (error) => (error ? reject(error) : resolve())))
}
