import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { dec, str } from '../money/dec.ts'
import { type Bar, isResolution, resolutionMs, vwap } from './bar.ts'
import { CandleSeries } from './series.ts'

const T0 = Date.UTC(2025, 0, 1)
const shape = (bar: Bar) =>
  [bar.openTime - T0, str(bar.open), str(bar.high), str(bar.low), str(bar.close), str(bar.volume), bar.count].join(' ')
function series(prints: readonly (readonly [ts: number, price: string, size?: string])[]): CandleSeries {
  const made = new CandleSeries()
  for (const [ts, price, size] of prints) made.add(T0 + ts, dec(price), size === undefined ? null : dec(size))
  return made
}

describe('candles', () => {
  test('a bar is first, max, min, last, volume, count; the price at its end belongs to the next one', () => {
    const candles = series([
      [0, '10', '1'],
      [20_000, '12', '2'],
      [40_000, '9', '1'],
      [59_999, '11', '1'],
      [60_000, '20', '1'],
    ])
    expect(candles.range('1m', T0, T0 + 120_000, 10).map(shape)).toEqual(['0 10 12 9 11 5 4', '60000 20 20 20 20 1 1'])
    expect(vwap(candles.at('1m', T0)!)).toBe('10.8')
  })

  test('time without a trade is filled with the last close, count 0, from the first known bar on', () => {
    const candles = series([
      [60_000, '10', '1'],
      [240_000, '12', '1'],
    ])
    expect(candles.range('1m', T0, T0 + 360_000, 10).map(shape)).toEqual([
      '60000 10 10 10 10 1 1',
      '120000 10 10 10 10 0 0',
      '180000 10 10 10 10 0 0',
      '240000 12 12 12 12 1 1',
      '300000 12 12 12 12 0 0',
    ])
    expect(candles.range('1m', T0 + 120_000, T0 + 180_000, 10).map(shape)).toEqual(['120000 10 10 10 10 0 0'])
    expect(candles.range('1m', T0 - 600_000, T0, 10)).toEqual([])
    expect(vwap(candles.range('1m', T0 + 120_000, T0 + 180_000, 1)[0]!)).toBeNull()
  })

  test('a late print corrects its candle under a new revision', () => {
    const candles = series([
      [10_000, '10', '1'],
      [50_000, '11', '1'],
      [70_000, '12', '1'],
    ])
    const before = candles.at('1m', T0)!.revision
    candles.add(T0 + 5000, dec('15'), dec('2'))
    candles.add(T0 + 30_000, dec('8'), dec('1'))
    const bar = candles.at('1m', T0)!
    expect([shape(bar), bar.revision - before]).toEqual(['0 15 15 8 11 5 4', 2])
  })

  test('every resolution agrees with the prints it covers', () => {
    const prints = fc.array(
      fc.tuple(fc.nat({ max: 8_000_000 }), fc.integer({ min: 1, max: 999 }), fc.integer({ min: 1, max: 9 })),
      { minLength: 1, maxLength: 60 },
    )
    fc.assert(
      fc.property(prints, fc.constantFrom('1m', '5m', '15m', '1h', '4h', '1d'), (raw, name) => {
        if (!isResolution(name)) return
        const sorted = raw.toSorted((a, b) => a[0] - b[0])
        const candles = series(sorted.map(([ts, price, size]) => [ts, String(price), String(size)] as const))
        const step = resolutionMs(name)
        for (const bar of candles.range(name, T0, T0 + 8_000_001, 500)) {
          const inside = sorted.filter(([ts]) => T0 + ts >= bar.openTime && T0 + ts < bar.openTime + step)
          expect(bar.count).toBe(inside.length)
          if (inside.length === 0) continue
          const prices = inside.map((p) => p[1])
          expect([str(bar.open), str(bar.high), str(bar.low), str(bar.close)]).toEqual(
            [prices[0]!, Math.max(...prices), Math.min(...prices), prices.at(-1)!].map(String),
          )
          expect(str(bar.volume)).toBe(String(inside.reduce((sum, p) => sum + p[2], 0)))
        }
      }),
      { numRuns: 60 },
    )
  })

  test('what is kept is bounded, the newest stays', () => {
    const candles = new CandleSeries()
    for (let i = 0; i < 6000; i++) candles.add(T0 + i * 1000, dec('1'), null)
    const bars = candles.range('1s', T0, T0 + 6_000_000, 10_000)
    expect([bars.length >= 3600, bars.at(-1)!.openTime]).toEqual([true, T0 + 5_999_000])
    expect(candles.range('1m', T0, T0 + 6_000_000, 500).length).toBe(100)
  })
})
