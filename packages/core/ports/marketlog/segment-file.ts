import { type FileHandle, open } from 'node:fs/promises'
import type { MarketEvent } from '../../domain/market/event.ts'
import type { SegmentHead } from '../../domain/proof/segment.ts'
import { type Header, isTrailer, type Line, parseLine } from './line.ts'
import { CorruptLogError } from './port.ts'

const CHUNK = 256 * 1024
const NEWLINE = 10

/** Texts of whole lines with the offset behind each, one read at a time. */
async function* textsOf(file: FileHandle): AsyncGenerator<{ text: string; end: number }[]> {
  let pending = Buffer.alloc(0)
  let offset = 0
  for (;;) {
    const buffer = Buffer.allocUnsafe(CHUNK)
    const { bytesRead } = await file.read(buffer, 0, CHUNK, offset + pending.length)
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

/** The lines of the last file up to the first that is not whole; the result is the offset behind the last whole one. */
export async function* wholeLines(path: string): AsyncGenerator<Line, number> {
  const file = await open(path, 'r')
  let whole = 0
  try {
    for await (const batch of textsOf(file)) {
      for (const { text, end } of batch) {
        const line = parseLine(text)
        if (!line) return whole
        whole = end
        yield line
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
 * The valid events of a file with mseq in [from, before), in batches: those under the epoch of the last fence before
 * them. Throws CorruptLogError where a line is not whole.
 */
export async function* eventsOfFile(path: string, from: number, before: number): AsyncGenerator<MarketEvent[]> {
  const file = await open(path, 'r')
  try {
    let epoch = 0
    for await (const texts of textsOf(file)) {
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

/** The heads of the segments that end in a file, ascending. */
export async function headsOfFile(path: string): Promise<SegmentHead[]> {
  const file = await open(path, 'r')
  const heads: SegmentHead[] = []
  try {
    for await (const texts of textsOf(file)) {
      for (const { text, end } of texts) {
        if (!isTrailer(text)) continue
        const line = parseLine(text)
        if (line?.kind !== 'trailer') throw damaged(path, end)
        heads.push(line.head)
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
