/**
 * A file of the log is lines of `crc32 kind json`: one `h` header, then `f` fences, `e<epoch>` events, and a `t` trailer
 * at the end of each segment. The checksum covers what follows it, so a torn or flipped line is seen.
 */
import type { MarketEvent } from '../../domain/market/event.ts'
import type { SegmentHead } from '../../domain/proof/segment.ts'

export interface Header {
  v: 1
  group: string
  /** head of the segment before */
  prev: string
  /** the least mseq that may stand here */
  first: number
  /** of the last fence before this file */
  epoch: number
  /** market time of the event before this file */
  mts: number
  /** what stood before the first event */
  carry: MarketEvent[]
}
export type Line =
  | { kind: 'header'; header: Header }
  | { kind: 'fence'; epoch: number }
  | { kind: 'event'; epoch: number; event: MarketEvent }
  | { kind: 'trailer'; head: SegmentHead }

function line(body: string): string {
  return `${(Bun.hash.crc32(body) >>> 0).toString(16).padStart(8, '0')} ${body}\n`
}
export const headerLine = (header: Header): string => line(`h ${JSON.stringify(header)}`)
export const fenceLine = (epoch: number): string => line(`f ${epoch}`)
export const eventLine = (epoch: number, text: string): string => line(`e${epoch} ${text}`)
export const trailerLine = (head: SegmentHead): string => line(`t ${JSON.stringify(head)}`)

/** Whether a line says that it is an event; its checksum is another matter. */
export const isEvent = (text: string): boolean => text.startsWith(' e', 8)

/** The line without its newline, or null when it is not whole. */
export function parseLine(text: string): Line | null {
  const body = text.slice(9)
  if (text[8] !== ' ' || Number.parseInt(text.slice(0, 8), 16) !== Bun.hash.crc32(body) >>> 0) return null
  const space = body.indexOf(' ')
  const value = JSON.parse(body.slice(space + 1))
  switch (body[0]) {
    case 'h':
      return { kind: 'header', header: value }
    case 'f':
      return { kind: 'fence', epoch: value }
    case 'e':
      return { kind: 'event', epoch: Number(body.slice(1, space)), event: value }
    case 't':
      return { kind: 'trailer', head: value }
    default:
      return null
  }
}
