import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { leafGroup, type MarketEvent } from '../../domain/market/event.ts'
import { SEGMENT_EVENTS, type SegmentHead, sortMembers } from '../../domain/proof/segment.ts'
import type { Blobs } from '../blobs/port.ts'
import { CorruptLogError } from './port.ts'

const zip = promisify(gzip)
const unzip = promisify(gunzip)
/** lines coded in one turn of the event loop */
const SLICE = 2048

/** Consecutive sealed segments lie in one blob: those of an hour of market time, or of 65,536 events. */
export interface Bundle {
  first: number
  last: number
  heads: SegmentHead[]
}
const HOUR_MS = 3_600_000
const digits = (mseq: number): string => String(mseq).padStart(16, '0')
export const bundleFolder = (group: string): string => `market-log/${group}/`
export const bundleName = (group: string, { first, last }: Pick<Bundle, 'first' | 'last'>): string =>
  `${bundleFolder(group)}${digits(first)}-${digits(last)}.jsonl.gz`

/** The range in a bundle's name. */
export function bundleRange(name: string): { first: number; last: number } {
  const [, first, last] = /(\d{16})-(\d{16})\.jsonl\.gz$/.exec(name)!
  return { first: Number(first), last: Number(last) }
}

/** Complete bundles of consecutive segments, by content: what may still grow is left out. */
export function bundlesOf(heads: readonly SegmentHead[]): Bundle[] {
  const bundles: Bundle[] = []
  let open: SegmentHead[] = []
  let events = 0
  for (const head of heads) {
    const begun = open[0]
    const full = events >= SEGMENT_EVENTS
    if (begun && (full || Math.floor(head.firstMts / HOUR_MS) !== Math.floor(begun.firstMts / HOUR_MS))) {
      bundles.push({ first: begun.first, last: open.at(-1)!.last, heads: open })
      open = []
      events = 0
    }
    open.push(head)
    for (const { count } of Object.values(head.groups)) events += count
  }
  return bundles
}

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

/** Segments delta-encoded and compressed: each one's head, then its events. */
export async function encodeBundle(
  { heads }: Bundle,
  events: AsyncIterable<readonly MarketEvent[]>,
): Promise<Uint8Array> {
  const coder = new Coder()
  const lines: string[] = []
  let next = 0
  for await (const batch of events) {
    for (const event of batch) {
      if (event.mseq >= (heads[next]?.first ?? Number.POSITIVE_INFINITY)) lines.push(JSON.stringify(heads[next++]))
      lines.push(JSON.stringify(coder.encode(event)))
      if (lines.length % SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return zip(`${lines.join('\n')}\n`)
}

export interface ArchivedSegment {
  head: SegmentHead
  events: MarketEvent[]
}
export async function decodeBundle(bytes: Uint8Array): Promise<ArchivedSegment[]> {
  const coder = new Coder()
  const segments: ArchivedSegment[] = []
  for (const line of (await unzip(bytes)).toString('utf8').trimEnd().split('\n')) {
    if (line[0] === '{') segments.push({ head: JSON.parse(line), events: [] })
    else segments.at(-1)!.events.push(coder.decode(JSON.parse(line)))
  }
  return segments
}

/** The names of a group's bundles, ascending. */
export async function listBundles(blobs: Blobs, group: string): Promise<string[]> {
  const names: string[] = []
  for (;;) {
    const after = names.at(-1)
    const page = await blobs.list(bundleFolder(group), after === undefined ? {} : { after })
    if (page.length === 0) return names
    names.push(...page)
  }
}

/** A segment's events from the blobs; null when it is not there. CorruptLogError when another one is. */
export async function readArchived(
  blobs: Blobs,
  group: string,
  { first, head }: SegmentHead,
): Promise<MarketEvent[] | null> {
  const name = (await listBundles(blobs, group)).find(
    (n) => bundleRange(n).first <= first && first <= bundleRange(n).last,
  )
  const bytes = name && (await blobs.get(name))
  if (!bytes) return null
  const found = (await decodeBundle(bytes)).find((segment) => segment.head.first === first)
  if (found?.head.head !== head)
    throw new CorruptLogError(`the archived segment at ${first} is ${found?.head.head}, not ${head}`)
  return found.events
}
