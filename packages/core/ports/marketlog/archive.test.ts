import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { MarketEvent } from '../../domain/market/event.ts'
import { SegmentBuilder, type SegmentHead } from '../../domain/proof/segment.ts'
import { bundleName, bundleRange, bundlesOf, decodeBundle, encodeBundle } from './archive.ts'

const decimal = fc.integer({ min: 1, max: 9999 }).map(String)
const symbol = fc.constantFrom('BTC/USD', 'EUR/USD')
const placed = { ts: fc.nat({ max: 1e6 }), pos: fc.nat({ max: 1000 }) }
const tick = fc.oneof(
  fc.record(
    {
      kind: fc.constant('quote'),
      symbol,
      venue: fc.constant('v'),
      ...placed,
      bid: decimal,
      ask: decimal,
      bid_size: decimal,
      synthetic: fc.constant('trades'),
    },
    { requiredKeys: ['kind', 'symbol', 'venue', 'ts', 'pos', 'bid', 'ask'] },
  ),
  fc.record(
    {
      kind: fc.constant('trade'),
      symbol,
      venue: fc.constant('v'),
      ...placed,
      price: decimal,
      size: decimal,
      side: fc.constantFrom('buy', 'sell'),
      bid: decimal,
      ask: decimal,
    },
    { requiredKeys: ['kind', 'symbol', 'venue', 'ts', 'pos', 'price', 'size', 'side'] },
  ),
  fc.record({
    kind: fc.constant('levels'),
    symbol,
    venue: fc.constant('v'),
    ...placed,
    bids: fc.array(fc.tuple(decimal, decimal), { maxLength: 3 }),
    asks: fc.array(fc.tuple(decimal, decimal), { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('gap'),
    ...placed,
    symbols: fc.option(fc.constant(['BTC/USD'])),
    reason: fc.constant('r'),
  }),
  fc.record({ kind: fc.constant('clock'), ...placed }),
)

async function* once(events: MarketEvent[]) {
  yield events
}

test('segments come back from their delta encoding as they were, byte for byte of their heads', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(tick, { minLength: 1, maxLength: 80 }),
      fc.integer({ min: 1, max: 20 }),
      async (ticks, each) => {
        const builder = new SegmentBuilder()
        const events = ticks.map(
          (t, i) => ({ ...t, mseq: i + 1, mts: 1_600_000_000_000 + i }) as unknown as MarketEvent,
        )
        const heads: SegmentHead[] = []
        for (const event of events) {
          builder.add(event)
          if (event.mseq % each === 0 || event.mseq === events.length) heads.push(builder.seal()!)
        }
        const back = await decodeBundle(await encodeBundle({ first: 1, last: events.length, heads }, once(events)))
        expect(back.flatMap((s) => s.events)).toEqual(events)
        const again = new SegmentBuilder()
        for (const segment of back) {
          for (const event of segment.events) again.add(event)
          expect(again.seal()).toEqual(segment.head)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('bundles end with an hour of market time or 65,536 events; the last one may still grow', () => {
  const head = (first: number, last: number, minute: number): SegmentHead => ({
    head: '',
    prev: '',
    first,
    last,
    firstMts: minute * 60_000,
    lastMts: minute * 60_000 + 59_999,
    groups: { group: { count: last - first + 1, root: '' } },
  })
  const heads = [
    head(1, 10, 58),
    head(11, 20, 59),
    head(21, 30, 60),
    head(31, 70_000, 61),
    head(70_001, 70_001, 62),
    head(70_002, 70_002, 63),
  ]
  expect(bundlesOf(heads).map((b) => [b.first, b.last])).toEqual([
    [1, 20],
    [21, 70_000],
  ])
  expect(bundleRange(bundleName('main', { first: 21, last: 70_000 }))).toEqual({ first: 21, last: 70_000 })
})
