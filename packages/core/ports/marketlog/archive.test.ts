import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { MarketEvent } from '../../domain/market/event.ts'
import { SegmentBuilder } from '../../domain/proof/segment.ts'
import { decodeSegment, encodeSegment } from './archive.ts'

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

test('a segment comes back from its delta encoding as it was, byte for byte of its head', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(tick, { minLength: 1, maxLength: 80 }), async (ticks) => {
      const builder = new SegmentBuilder()
      const events = ticks.map((t, i) => ({ ...t, mseq: i + 1, mts: 1_600_000_000_000 + i }) as unknown as MarketEvent)
      for (const event of events) builder.add(event)
      const head = builder.seal()!
      const back = await decodeSegment(
        await encodeSegment(
          head,
          (async function* () {
            yield events
          })(),
        ),
      )
      expect(back.events).toEqual(events)
      const again = new SegmentBuilder()
      for (const event of back.events) again.add(event)
      expect(again.seal()?.head).toBe(head.head)
    }),
    { numRuns: 60 },
  )
})
