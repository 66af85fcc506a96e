import { type FileHandle, open } from 'node:fs/promises'
import type { MarketEvent } from '../../domain/market/event.ts'
import type { SegmentHead } from '../../domain/proof/segment.ts'
import { type Header, isEvent, type Line, parseLine } from './line.ts'
import { CorruptLogError } from './port.ts'

const FIRST_CHUNK = 16 * 1024
const CHUNK = 256 * 1024
const NEWLINE = 10

/** A place in a file where a segment begins, and the epoch in force there. */
export interface Place {
  offset: number
  epoch: number
}
export interface PlacedHead extends Place {
  head: SegmentHead
}

/** Texts of whole lines from an offset on with the offset behind each, one read at a time: little at first, then more. */
async function* textsOf(file: FileHandle, from = 0): AsyncGenerator<{ text: string; end: number }[]> {
  let pending = Buffer.alloc(0)
  let offset = from
  for (let length = FIRST_CHUNK; ; length = Math.min(CHUNK, length * 4)) {
    const buffer = Buffer.allocUnsafe(length)
    const { bytesRead } = await file.read(buffer, 0, length, offset + pending.length)
    if (bytesRead === 0) return
    const bytes = Buffer.concat([pending, buffer.subarray(0, bytesRead)])
    const batch: { text: string; end: number }[] = []
    let at = 0
    for (let stop = bytes.indexOf(NEWLINE); stop >= 0; stop = bytes.indexOf(NEWLINE, at)) {
      const text = bytes.toString('utf8', at, stop)
      at = stop + 1
      batch.push({ text, end: offset + at })
    }
    offset += at
    pending = bytes.subarray(at)
    if (batch.length > 0) yield batch
  }
}

/** The lines of the last file, with the offset behind each, up to the first that is not whole; the result is the last offset. */
export async function* wholeLines(path: string): AsyncGenerator<{ line: Line; end: number }, number> {
  const file = await open(path, 'r')
  let whole = 0
  try {
    for await (const batch of textsOf(file)) {
      for (const { text, end } of batch) {
        const line = parseLine(text)
        if (!line) return whole
        whole = end
        yield { line, end }
      }
    }
    return whole
  } finally {
    await file.close()
  }
}

const damaged = (path: string, end: number): CorruptLogError =>
  new CorruptLogError(`${path} is damaged in the line that ends at byte ${end}`)

/**
 * The valid events from a place of a file on with mseq in [from, before), in batches: those under the epoch of the last
 * fence before them. Throws CorruptLogError where a line is not whole.
 */
export async function* eventsOfFile(
  path: string,
  place: Place,
  from: number,
  before: number,
): AsyncGenerator<MarketEvent[]> {
  const file = await open(path, 'r')
  try {
    let { epoch } = place
    for await (const texts of textsOf(file, place.offset)) {
      const batch: MarketEvent[] = []
      let done = false
      for (const { text, end } of texts) {
        const line = parseLine(text)
        if (!line) throw damaged(path, end)
        if (line.kind === 'header') epoch = line.header.epoch
        else if (line.kind === 'fence') epoch = Math.max(epoch, line.epoch)
        if (line.kind !== 'event' || line.epoch !== epoch) continue
        done = line.event.mseq >= before
        if (done) break
        if (line.event.mseq >= from) batch.push(line.event)
      }
      if (batch.length > 0) yield batch
      if (done) return
    }
  } finally {
    await file.close()
  }
}

/** The heads of the segments that end in a file and where each begins, ascending. */
export async function headsOfFile(path: string): Promise<PlacedHead[]> {
  const file = await open(path, 'r')
  const heads: PlacedHead[] = []
  let place: Place = { offset: 0, epoch: 0 }
  let epoch = 0
  try {
    for await (const texts of textsOf(file)) {
      for (const { text, end } of texts) {
        if (isEvent(text)) continue
        const line = parseLine(text)
        if (!line) throw damaged(path, end)
        if (line.kind === 'fence') epoch = Math.max(epoch, line.epoch)
        else if (line.kind === 'header') {
          epoch = line.header.epoch
          place = { offset: end, epoch }
        } else if (line.kind === 'trailer') {
          heads.push({ head: line.head, ...place })
          place = { offset: end, epoch }
        }
      }
    }
    return heads
  } finally {
    await file.close()
  }
}

export async function headerOf(path: string): Promise<Header> {
  const file = await open(path, 'r')
  try {
    for await (const [first] of textsOf(file)) {
      const line = parseLine(first!.text)
      if (line?.kind === 'header') return line.header
      break
    }
    throw new CorruptLogError(`${path} has no header`)
  } finally {
    await file.close()
  }
}
