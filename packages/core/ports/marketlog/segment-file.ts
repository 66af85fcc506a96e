import { type FileHandle, open } from 'node:fs/promises'
import type { MarketEvent } from '../../domain/market/event.ts'
import type { SegmentHead } from '../../domain/proof/segment.ts'
import { type Header, type Line, parseLine } from './line.ts'
import { CorruptLogError } from './port.ts'

const CHUNK = 256 * 1024
const NEWLINE = 10

/** Whole lines with the offset behind each, in batches of one read; ends at the first line that is not whole and says where. */
async function* linesOf(file: FileHandle): AsyncGenerator<{ line: Line; end: number }[], number> {
  let pending = Buffer.alloc(0)
  let offset = 0
  for (;;) {
    const buffer = Buffer.allocUnsafe(CHUNK)
    const { bytesRead } = await file.read(buffer, 0, CHUNK, offset + pending.length)
    const bytes = Buffer.concat([pending, buffer.subarray(0, bytesRead)])
    const batch: { line: Line; end: number }[] = []
    let at = 0
    for (let stop = bytes.indexOf(NEWLINE); stop >= 0; stop = bytes.indexOf(NEWLINE, at)) {
      const line = parseLine(bytes.toString('utf8', at, stop))
      if (!line) {
        if (batch.length > 0) yield batch
        return offset + at
      }
      at = stop + 1
      batch.push({ line, end: offset + at })
    }
    if (batch.length > 0) yield batch
    offset += at
    pending = bytes.subarray(at)
    if (bytesRead === 0) return offset
  }
}

export interface Scanned {
  header: Header
  events: MarketEvent[]
  trailer: SegmentHead | null
  /** epoch of the last fence */
  epoch: number
  /** bytes up to the end of the last whole line */
  whole: number
}
/** Everything a file holds up to its first line that is not whole; null when not even the header is. */
export async function scanFile(path: string): Promise<Scanned | null> {
  const file = await open(path, 'r')
  try {
    const lines = linesOf(file)
    const scanned: Scanned = { header: undefined as never, events: [], trailer: null, epoch: 0, whole: 0 }
    for (let next = await lines.next(); ; next = await lines.next()) {
      if (next.done) return scanned.header ? scanned : null
      for (const { line, end } of next.value) {
        take(scanned, line)
        scanned.whole = end
      }
    }
  } finally {
    await file.close()
  }
}
/** A record counts only under the epoch of the last fence before it. */
function take(into: Scanned, line: Line): void {
  if (line.kind === 'header') {
    into.header = line.header
    into.epoch = line.header.epoch
  } else if (line.kind === 'fence') into.epoch = Math.max(into.epoch, line.epoch)
  else if (line.kind === 'trailer') into.trailer = line.head
  else if (line.epoch === into.epoch) into.events.push(line.event)
}

/** The valid events of a sealed file from a mseq on, in batches. Throws CorruptLogError where a line is not whole. */
export async function* eventsOfFile(path: string, fromMseq: number): AsyncGenerator<MarketEvent[]> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const lines = linesOf(file)
    let epoch = 0
    for (let next = await lines.next(); ; next = await lines.next()) {
      if (next.done) {
        if (next.value < size) throw new CorruptLogError(`${path} is damaged at byte ${next.value}`)
        return
      }
      const batch: MarketEvent[] = []
      for (const { line } of next.value) {
        if (line.kind === 'header') epoch = line.header.epoch
        else if (line.kind === 'fence') epoch = Math.max(epoch, line.epoch)
        else if (line.kind === 'event' && line.epoch === epoch && line.event.mseq >= fromMseq) batch.push(line.event)
      }
      if (batch.length > 0) yield batch
    }
  } finally {
    await file.close()
  }
}

export async function headerOf(path: string): Promise<Header> {
  const file = await open(path, 'r')
  try {
    const first = await linesOf(file).next()
    const line = first.done ? undefined : first.value[0]?.line
    if (line?.kind !== 'header') throw new CorruptLogError(`${path} has no header`)
    return line.header
  } finally {
    await file.close()
  }
}

/** The head in a sealed file's last line. */
export async function trailerOf(path: string): Promise<SegmentHead> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    for (let length = Math.min(size, 16 * 1024); ; length = Math.min(size, length * 4)) {
      const tail = Buffer.alloc(length)
      await file.read(tail, 0, length, size - length)
      const start = tail.lastIndexOf(NEWLINE, length - 2)
      if (start < 0 && length < size) continue
      const line = parseLine(tail.toString('utf8', start + 1, length - 1))
      if (line?.kind !== 'trailer') throw new CorruptLogError(`${path} has no trailer`)
      return line.head
    }
  } finally {
    await file.close()
  }
}
