/**
 * Segments of the market log: by content alone, so every reader cuts and hashes them alike. A segment ends after
 * 65,536 events, or before an event in a later minute of market time. Its head commits to the head before it, its
 * range, and for each symbol and `group` to leaf count and Merkle root (docs/proof-format.md).
 */
import { bytesToHex } from '@noble/hashes/utils.js'
import { leafGroup, type MarketEvent } from '../market/event.ts'
import { MerkleStack, portableHash, type TreeHash } from './merkle.ts'

export const SEGMENT_EVENTS = 65_536
/** What the first segment names as the one before it. */
export const NO_HEAD = '0'.repeat(64)
const MINUTE_MS = 60_000

export interface GroupRoot {
  count: number
  root: string
}
export interface SegmentHead {
  head: string
  prev: string
  first: number
  last: number
  /** market time of the first and last event */
  firstMts: number
  lastMts: number
  /** per symbol and `group`: leaf count and Merkle root */
  groups: Record<string, GroupRoot>
}
/**
 * mseq of a symbol's newest quote, levels and symbol_state, then of its newest trade, funding and swap rate; 0: none
 * yet. What stands behind the third is left out where it and all behind it are 0.
 */
export type Newest = readonly [quote: number, levels: number, state: number, ...rest: number[]]
const NONE: Newest = [0, 0, 0]

/** H(canonical JSON of {v, prev, first, last, groups: {name: [count, root]}}). */
export function headOf(segment: Omit<SegmentHead, 'head'>, hash: TreeHash = portableHash): string {
  const groups = Object.keys(segment.groups)
    .sort()
    .map((name) => `${JSON.stringify(name)}:[${segment.groups[name]!.count},"${segment.groups[name]!.root}"]`)
  const text = `{"first":${segment.first},"groups":{${groups.join(',')}},"last":${segment.last},"prev":"${segment.prev}","v":1}`
  return bytesToHex(hash.text(text))
}

/** Canonical JSON of an event: flat, integers and strings only, so sorted members are all it takes (RFC 8785). */
export function eventText(event: MarketEvent): string {
  let before = ''
  for (const key in event) {
    if (key < before) return JSON.stringify(sortMembers(event))
    before = key
  }
  return JSON.stringify(event)
}
/** The same object with its members in canonical order: what is made so once is written fast ever after. */
export function sortMembers<T extends object>(object: T): T {
  const sorted: Record<string, unknown> = {}
  for (const key of Object.keys(object).sort()) sorted[key] = object[key as keyof T]
  return sorted as T
}

/** Leaf data: canonical JSON of {e: event, p: the newest of its symbol before it}. */
export const leafData = (text: string, before: Newest): string =>
  before.length === 3
    ? `{"e":${text},"p":[${before[0]},${before[1]},${before[2]}]}`
    : `{"e":${text},"p":[${before.join(',')}]}`

/** Whether an event is a mark: a quote, or a print that makes one. */
export const isQuote = (event: MarketEvent): boolean =>
  event.kind === 'quote' || (event.kind === 'trade' && event.bid !== undefined)

/** What is newest once this event is applied. */
export function newestAfter(event: MarketEvent, before: Newest): Newest {
  const [quote, levels, state, trade = 0, ...rates] = before
  switch (event.kind) {
    case 'quote':
      return [event.mseq, levels, state, ...before.slice(3)]
    case 'levels':
      return [quote, event.mseq, state, ...before.slice(3)]
    case 'symbol_state':
      return [quote, levels, event.mseq, ...before.slice(3)]
    case 'trade':
      return [isQuote(event) ? event.mseq : quote, levels, state, event.mseq, ...rates]
    case 'rate': {
      const [funding = 0, swap = 0] = rates
      const told: [number, number] = event.what === 'funding' ? [event.mseq, swap] : [funding, event.mseq]
      return [quote, levels, state, trade, ...(told[1] === 0 ? [told[0]] : told)]
    }
    default:
      return before
  }
}

/** The newest of each kind of each symbol, by mseq. */
export class NewestOf {
  private readonly symbols = new Map<string, Newest>()

  before(event: MarketEvent): Newest {
    return 'symbol' in event ? this.of(event.symbol) : NONE
  }
  of(symbol: string): Newest {
    return this.symbols.get(symbol) ?? NONE
  }
  apply(event: MarketEvent): void {
    if (!('symbol' in event)) return
    const before = this.of(event.symbol)
    const after = newestAfter(event, before)
    if (after !== before) this.symbols.set(event.symbol, after)
  }
}

/** Fed with the valid events in order; says the head of each segment as it ends. */
export class SegmentBuilder {
  private readonly newest = new NewestOf()
  private groups = new Map<string, MerkleStack>()
  private first = 0
  private firstMts = 0
  private last = 0
  private lastMts = 0
  /** events in the open segment */
  count = 0

  /** prev: head of the last segment that ended; carry: what stood before the first event (MarketLog.carry) */
  constructor(
    public prev: string = NO_HEAD,
    carry: Iterable<MarketEvent> = [],
    private readonly hash: TreeHash = portableHash,
  ) {
    for (const event of carry) this.newest.apply(event)
  }

  /** Whether the open segment ends before this event. */
  endsBefore(event: MarketEvent): boolean {
    return this.count > 0 && Math.floor(event.mts / MINUTE_MS) !== Math.floor(this.firstMts / MINUTE_MS)
  }

  /** How many of events[at...] still belong to the open segment; 0: it ends before events[at]. */
  room(events: readonly MarketEvent[], at: number): number {
    if (at < events.length && this.endsBefore(events[at]!)) return 0
    const minute = Math.floor((this.count > 0 ? this.firstMts : (events[at]?.mts ?? 0)) / MINUTE_MS)
    const most = Math.min(events.length - at, SEGMENT_EVENTS - this.count)
    let n = 0
    while (n < most && Math.floor(events[at + n]!.mts / MINUTE_MS) === minute) n++
    return n
  }

  /** The head of the segment that ended at this event: before it, or with it where `last` is its mseq. */
  add(event: MarketEvent, text: string = eventText(event)): SegmentHead | null {
    const ended = this.endsBefore(event) ? this.seal() : null
    if (this.count === 0) {
      this.first = event.mseq
      this.firstMts = event.mts
    }
    const name = leafGroup(event)
    let group = this.groups.get(name)
    if (!group) {
      group = new MerkleStack(this.hash)
      this.groups.set(name, group)
    }
    group.append(this.hash.leaf(leafData(text, this.newest.before(event))))
    this.newest.apply(event)
    this.last = event.mseq
    this.lastMts = event.mts
    this.count++
    return this.count === SEGMENT_EVENTS ? this.seal() : ended
  }

  /** Ends the open segment now; null when it is empty. */
  seal(): SegmentHead | null {
    if (this.count === 0) return null
    const groups: Record<string, GroupRoot> = {}
    for (const name of [...this.groups.keys()].sort()) {
      const group = this.groups.get(name)!
      groups[name] = { count: group.count, root: group.root() }
    }
    const { prev, first, last, firstMts, lastMts } = this
    const body = { prev, first, last, firstMts, lastMts, groups }
    const head = headOf(body, this.hash)
    this.prev = head
    this.groups = new Map()
    this.count = 0
    return { head, ...body }
  }
}
