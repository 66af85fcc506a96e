import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { FeedTick } from './feed-tick.ts'
import { Quality, type Quarantined } from './quality.ts'

const quote = (pos: number, ts: number, more: Partial<Extract<FeedTick, { kind: 'quote' }>> = {}): FeedTick => ({
  kind: 'quote',
  symbol: 'BTC/USD',
  venue: 'test',
  ts,
  pos,
  bid: String(pos),
  ask: String(pos + 1),
  ...more,
})
function quality(options: { reorderMs?: number; reorderMax?: number; staleMs?: number } = {}) {
  const bad: Quarantined[] = []
  return { gate: new Quality({ source: 'test', reorderMs: 0, ...options, quarantine: (q) => bad.push(q) }), bad }
}

describe('quality', () => {
  test('what is wrong by itself is quarantined with its reason; bid = ask passes', () => {
    const { gate, bad } = quality()
    const cases: [FeedTick, string | null][] = [
      [quote(1, 1, { bid: '2', ask: '2' }), null],
      [quote(2, 1, { bid: '3', ask: '2' }), 'crossed'],
      [quote(3, 1, { bid: '0', ask: '2' }), 'zero'],
      [quote(4, 1, { bid: '-1', ask: '2' }), 'zero'],
      [quote(5, 1, { bid: '1e5', ask: '2' }), 'schema'],
      [quote(6, 1, { symbol: 'btc' }), 'schema'],
      [quote(7, Number.NaN), 'schema'],
      [quote(8, 1, { bid_size: '0' }), 'zero'],
      [{ kind: 'trade', symbol: 'BTC/USD', venue: 't', ts: 1, pos: 9, price: '1', size: '0', side: 'buy' }, 'zero'],
      [
        { kind: 'candle', symbol: 'BTC/USD', venue: 't', ts: 1, pos: 10, open: '2', high: '3', low: '2.5', close: '3' },
        'schema',
      ],
      [
        {
          kind: 'levels',
          symbol: 'BTC/USD',
          venue: 't',
          ts: 1,
          pos: 11,
          bids: [
            ['2', '1'],
            ['1', '1'],
          ],
          asks: [
            ['3', '1'],
            ['4', '1'],
          ],
        },
        null,
      ],
      [
        {
          kind: 'levels',
          symbol: 'BTC/USD',
          venue: 't',
          ts: 1,
          pos: 12,
          bids: [
            ['1', '1'],
            ['2', '1'],
          ],
          asks: [],
        },
        'schema',
      ],
      [
        { kind: 'levels', symbol: 'BTC/USD', venue: 't', ts: 1, pos: 13, bids: [['5', '1']], asks: [['4', '1']] },
        'crossed',
      ],
    ]
    for (const [tick, reason] of cases) {
      bad.length = 0
      gate.offer(tick)
      expect(`${tick.pos} ${bad[0]?.reason ?? null}`).toBe(`${tick.pos} ${reason}`)
    }
    expect(gate.take().map((t) => t.pos)).toEqual([1, 11])
  })

  test('late events find their place, later ones are quarantined, repeats too', () => {
    const { gate, bad } = quality({ reorderMs: 100 })
    for (const [pos, ts] of [
      [1, 1000],
      [2, 1050],
      [3, 1020],
      [4, 1090],
      [5, 1010],
      [6, 1300],
    ] as const)
      gate.offer(quote(pos, ts), String(pos))
    gate.offer(quote(7, 1301), '6')
    expect(gate.take().map((t) => t.pos)).toEqual([1, 5, 3, 2, 4])
    gate.offer(quote(8, 1050), '8')
    expect(gate.flush().map((t) => t.pos)).toEqual([6])
    expect(bad.map((b) => [b.tick.pos, b.reason])).toEqual([
      [7, 'duplicate'],
      [8, 'out_of_order'],
    ])
    expect(gate.counters).toMatchObject({ accepted: 6, reordered: 2, quarantined: { duplicate: 1, out_of_order: 1 } })
  })

  test('two like prints without ids are both real, two like quotes are not', () => {
    const { gate, bad } = quality()
    const print = (pos: number): FeedTick => ({
      kind: 'trade',
      symbol: 'BTC/USD',
      venue: 't',
      ts: 5,
      pos,
      price: '1',
      size: '1',
      side: 'buy',
    })
    gate.offer(print(1))
    gate.offer(print(2))
    gate.offer(quote(3, 5, { bid: '1', ask: '2' }))
    gate.offer(quote(4, 5, { bid: '1', ask: '2' }))
    expect([gate.take().length, bad.map((b) => b.tick.pos)]).toEqual([3, [4]])
  })

  test('a live source is checked against its sequence and the wall clock', () => {
    const { gate, bad } = quality({ staleMs: 5000 })
    gate.offer(quote(10, 100_000), undefined, 100_100)
    gate.offer(quote(10, 100_001), undefined, 100_100)
    gate.offer(quote(14, 100_002), undefined, 100_100)
    gate.offer(quote(15, 90_000), undefined, 100_100)
    gate.offer(quote(16, 120_000), undefined, 100_100)
    expect(gate.take().map((t) => t.pos)).toEqual([10, 14])
    expect(bad.map((b) => b.reason)).toEqual(['sequence', 'stale', 'future'])
    expect(gate.counters.gaps).toBe(1)
  })

  test('output is in order, loses nothing unsaid, and is the same however it is fed', () => {
    const feed = fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 120 })
    fc.assert(
      fc.property(feed, fc.nat({ max: 50 }), (times, cut) => {
        const ticks = times.map((jitter, i) => quote(i + 1, 1000 + i * 40 - jitter))
        const run = (takes: (i: number) => boolean) => {
          const { gate, bad } = quality({ reorderMs: 200, reorderMax: 16 })
          const out: FeedTick[] = []
          for (const [i, tick] of ticks.entries()) {
            gate.offer(tick, String(i))
            if (takes(i)) out.push(...gate.take())
          }
          out.push(...gate.flush())
          return { out, bad }
        }
        const each = run(() => true)
        expect(each.out.every((t, i) => i === 0 || each.out[i - 1]!.ts <= t.ts)).toBe(true)
        expect(each.out.length + each.bad.length).toBe(ticks.length)
        expect(run((i) => i % 50 === cut)).toEqual(each)
      }),
      { numRuns: 60 },
    )
  })
})
