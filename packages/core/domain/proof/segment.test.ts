import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { MarketEvent } from '../market/event.ts'
import { portableHash, proveLeaves, rootFrom } from './merkle.ts'
import {
  eventText,
  leafData,
  type Newest,
  NewestOf,
  NO_HEAD,
  newestAfter,
  SEGMENT_EVENTS,
  SegmentBuilder,
  type SegmentHead,
} from './segment.ts'

const SYMBOLS = ['BTC/USD', 'EUR/USD']
const MINUTE = 60_000

function eventAt(mseq: number, mts: number, pick: number): MarketEvent {
  const symbol = SYMBOLS[pick % 2]!
  const base = { mseq, mts, ts: mts, pos: mseq }
  if (pick % 7 === 6) return { ...base, kind: 'clock' }
  if (pick % 7 === 5) return { ...base, kind: 'symbol_state', symbol, venue: 'sim', state: 'open' }
  if (pick % 7 === 4)
    return { ...base, kind: 'levels', symbol, venue: 'sim', bids: [['1.1', '2']], asks: [['1.2', '3']] }
  if (pick % 7 === 3) return { ...base, kind: 'trade', symbol, venue: 'sim', price: '1.1', size: '1', side: 'buy' }
  return { ...base, kind: 'quote', symbol, venue: 'sim', bid: '1.1', ask: '1.2' }
}
const steps = fc.array(fc.tuple(fc.nat({ max: 40_000 }), fc.nat({ max: 20 })), { minLength: 1, maxLength: 60 })
function eventsOf(picks: readonly (readonly [number, number])[]): MarketEvent[] {
  let mts = 1_600_000_000_000
  return picks.map(([ahead, pick], i) => {
    mts += ahead
    return eventAt(i + 1, mts, pick)
  })
}
function headsOf(events: readonly MarketEvent[], builder = new SegmentBuilder()): SegmentHead[] {
  return events.flatMap((e) => builder.add(e) ?? [])
}
/** Canonical JSON, the obvious way. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`
}

describe('segment', () => {
  test('cuts before a later minute, after 65,536 events, and nowhere else', () => {
    const builder = new SegmentBuilder()
    const first = Array.from({ length: SEGMENT_EVENTS + 1 }, (_, i) => eventAt(i + 1, 5 * MINUTE + 1, 6))
    const heads = headsOf(first, builder)
    expect(heads.map((h) => [h.first, h.last])).toEqual([[1, SEGMENT_EVENTS]])
    expect(builder.add(eventAt(SEGMENT_EVENTS + 2, 6 * MINUTE - 1, 6))).toBeNull()
    const next = builder.add(eventAt(SEGMENT_EVENTS + 3, 6 * MINUTE, 6))
    expect([next?.first, next?.last, next?.prev]).toEqual([SEGMENT_EVENTS + 1, SEGMENT_EVENTS + 2, heads[0]!.head])
    expect(builder.seal()?.first).toBe(SEGMENT_EVENTS + 3)
    expect(builder.seal()).toBeNull()
  })

  test('head is the hash of its canonical JSON, chained from 64 zeros', () => {
    const events = eventsOf([
      [0, 0],
      [10, 1],
      [20, 6],
      [70_000, 2],
      [70_000, 3],
    ])
    let prev = NO_HEAD
    for (const { head, first, last, groups, prev: named } of headsOf(events)) {
      expect(named).toBe(prev)
      const roots = Object.fromEntries(Object.entries(groups).map(([name, g]) => [name, [g.count, g.root]]))
      expect(head).toBe(
        createHash('sha256')
          .update(canonical({ v: 1, prev, first, last, groups: roots }))
          .digest('hex'),
      )
      prev = head
    }
  })

  test('an event has one text, whatever the order of its members', () => {
    fc.assert(
      fc.property(fc.nat({ max: 20 }), fc.nat(), (pick, seed) => {
        const event = eventAt(7, 1_600_000_000_000, pick)
        const keys = Object.entries(event)
        const turned = Object.fromEntries([...keys.slice(seed % keys.length), ...keys.slice(0, seed % keys.length)])
        expect(eventText(turned as MarketEvent)).toBe(canonical(event))
      }),
    )
  })

  test('a reader that starts at a segment with its carry computes the same heads', () => {
    fc.assert(
      fc.property(steps, (picks) => {
        const events = eventsOf(picks)
        const heads = headsOf(events)
        const start = heads[0]
        if (!start) return
        const carry = events.filter((e) => e.mseq <= start.last)
        const rest = events.filter((e) => e.mseq > start.last)
        expect(headsOf(rest, new SegmentBuilder(start.head, carry))).toEqual(heads.slice(1))
      }),
      { numRuns: 50 },
    )
  })

  test('what is newest behind quote, levels and state is named only where there is some', () => {
    const of = (kind: string, mseq: number, more: object = {}) =>
      ({ kind, symbol: 'S', venue: 'v', ts: 0, pos: 0, mseq, mts: 0, ...more }) as MarketEvent
    const told: [MarketEvent, Newest][] = [
      [of('quote', 1, { bid: '1', ask: '2' }), [1, 0, 0]],
      [of('rate', 2, { what: 'funding', rate: '1' }), [1, 0, 0, 0, 2]],
      [of('trade', 3, { price: '1', size: '1', side: 'buy' }), [1, 0, 0, 3, 2]],
      [of('rate', 4, { what: 'swap', long: '1', short: '1' }), [1, 0, 0, 3, 2, 4]],
      [of('trade', 5, { price: '1', size: '1', side: 'buy', bid: '1', ask: '2' }), [5, 0, 0, 5, 2, 4]],
      [of('quote', 6, { bid: '1', ask: '2' }), [6, 0, 0, 5, 2, 4]],
      [of('symbol_state', 7, { state: 'settled', price: '1' }), [6, 0, 7, 5, 2, 4]],
    ]
    let before: Newest = [0, 0, 0]
    for (const [event, after] of told) {
      before = newestAfter(event, before)
      expect(before).toEqual(after)
    }
    expect(leafData('{}', [1, 0, 0, 0, 2])).toBe('{"e":{},"p":[1,0,0,0,2]}')
  })

  test('a leaf shows which quote, levels and state stood before it, and proves against the head', () => {
    const events = eventsOf([
      [0, 5],
      [1, 0],
      [1, 5],
      [1, 4],
      [1, 2],
      [1, 3],
      [1, 1],
      [1, 6],
      [60_000, 6],
    ])
    const [head] = headsOf(events)
    const newest = new NewestOf()
    const leaves: Uint8Array[] = []
    const texts: string[] = []
    for (const event of events.slice(0, 8)) {
      const data = leafData(eventText(event), newest.before(event))
      newest.apply(event)
      if (!('symbol' in event) || event.symbol !== 'BTC/USD') continue
      texts.push(data)
      leaves.push(portableHash.leaf(data))
    }
    expect(texts.map((t) => t.slice(t.lastIndexOf('"p"')))).toEqual(['"p":[0,0,0]}', '"p":[2,0,0]}', '"p":[2,4,0]}'])
    const proof = proveLeaves(3, [1], (i) => leaves[i]!)
    const { count, root } = head!.groups['BTC/USD']!
    expect(rootFrom(count, new Map([[1, leaves[1]!]]), proof)).toBe(root)
  })
})
