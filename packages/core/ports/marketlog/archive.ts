import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { leafGroup, type MarketEvent } from '../../domain/market/event.ts'
import { type SegmentHead, sortMembers } from '../../domain/proof/segment.ts'
import type { Blobs } from '../blobs/port.ts'
import { CorruptLogError } from './port.ts'

const zip = promisify(gzip)
const unzip = promisify(gunzip)
/** lines coded in one turn of the event loop */
const SLICE = 2048

/** Where a sealed segment of a group lies. */
export const segmentName = (group: string, first: number): string =>
  `market-log/${group}/${String(first).padStart(16, '0')}.jsonl.gz`

type Members = Record<string, unknown>
/** [stream (its name where it is new), mseq, mts, ts, pos, members]: numbers as differences, members as far as they changed; null: gone. */
type Coded = [stream: number | string, mseq: number, mts: number, ts: number, pos: number, changed: Members]

const NUMBERS = new Set(['mseq', 'mts', 'ts', 'pos'])
const streamOf = (event: MarketEvent): string => `${event.kind} ${leafGroup(event)}`

/** Differences to the event before, members to the newest of the same kind and symbol. The same state on both ends. */
class Coder {
  private readonly ids = new Map<string, number>()
  private readonly members: Members[] = []
  private readonly positions: number[] = []
  private mseq = 0
  private mts = 0

  encode(event: MarketEvent): Coded {
    const name = streamOf(event)
    let id = this.ids.get(name)
    const stream = id ?? name
    if (id === undefined) {
      id = this.ids.size
      this.ids.set(name, id)
      this.members.push({})
      this.positions.push(0)
    }
    const before = this.members[id]!
    const now = event as unknown as Members
    const changed: Members = {}
    for (const key in now) if (!NUMBERS.has(key) && !same(now[key], before[key])) changed[key] = now[key]
    for (const key in before) if (!NUMBERS.has(key) && !(key in now)) changed[key] = null
    const coded: Coded = [
      stream,
      event.mseq - this.mseq,
      event.mts - this.mts,
      event.ts - event.mts,
      event.pos - this.positions[id]!,
      changed,
    ]
    this.members[id] = now
    this.positions[id] = event.pos
    this.mseq = event.mseq
    this.mts = event.mts
    return coded
  }

  decode([stream, mseq, mts, ts, pos, changed]: Coded): MarketEvent {
    let id = stream as number
    if (typeof stream === 'string') {
      id = this.members.length
      this.members.push({})
      this.positions.push(0)
    }
    const members: Members = { ...this.members[id]!, ...changed }
    // a gap's symbols are null, not gone: what always stands in its kind is kept
    for (const key in changed) if (changed[key] === null && key !== 'symbols') delete members[key]
    this.mseq += mseq
    this.mts += mts
    this.positions[id]! += pos
    const event = { ...members, mseq: this.mseq, mts: this.mts, ts: this.mts + ts, pos: this.positions[id]! }
    this.members[id] = members
    return sortMembers(event) as unknown as MarketEvent
  }
}
const same = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'object' && a !== null && JSON.stringify(a) === JSON.stringify(b))

/** A sealed segment, delta-encoded and compressed: its head, then its events. */
export async function encodeSegment(
  head: SegmentHead,
  events: AsyncIterable<readonly MarketEvent[]>,
): Promise<Uint8Array> {
  const coder = new Coder()
  const lines = [JSON.stringify(head)]
  for await (const batch of events) {
    for (const event of batch) {
      lines.push(JSON.stringify(coder.encode(event)))
      if (lines.length % SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return zip(`${lines.join('\n')}\n`)
}

export async function decodeSegment(bytes: Uint8Array): Promise<{ head: SegmentHead; events: MarketEvent[] }> {
  const coder = new Coder()
  const [head, ...lines] = (await unzip(bytes)).toString('utf8').trimEnd().split('\n')
  return { head: JSON.parse(head!), events: lines.map((line) => coder.decode(JSON.parse(line))) }
}

/** A segment's events from the blobs; null when it is not there. CorruptLogError when it is another one. */
export async function readArchived(blobs: Blobs, group: string, head: SegmentHead): Promise<MarketEvent[] | null> {
  const bytes = await blobs.get(segmentName(group, head.first))
  if (!bytes) return null
  const segment = await decodeSegment(bytes)
  if (segment.head.head !== head.head)
    throw new CorruptLogError(`the archived segment at ${head.first} is ${segment.head.head}, not ${head.head}`)
  return segment.events
}
