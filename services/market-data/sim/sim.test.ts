import { describe, expect, test } from 'bun:test'
import { CATALOGUE } from '@assay/core/domain/instruments/catalogue'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { dec, isMultiple } from '@assay/core/domain/money/dec'
import { faultOf } from '../quality/faults.ts'
import type { FeedTick } from '../quality/feed-tick.ts'
import { simEvents } from './sim-events.ts'
import { World } from './world.ts'

const ticksOf = (seed: string, steps: number, ms = 250): FeedTick[] => {
  const world = new World({ seed, instruments: CATALOGUE })
  return Array.from({ length: steps }, (_, i) => world.step(1_700_000_000_000 + i * ms, ms)).flat()
}
const midsOf = (ticks: FeedTick[], symbol: string) =>
  ticks.flatMap((t) => (t.kind === 'quote' && t.symbol === symbol ? (Number(t.bid) + Number(t.ask)) / 2 : []))
const returns = (mids: number[]) => mids.slice(1).map((m, i) => Math.log(m / mids[i]!))
function correlation(a: number[], b: number[]): number {
  const mean = (x: number[]) => x.reduce((s, v) => s + v, 0) / x.length
  const [ma, mb] = [mean(a), mean(b)]
  const dot = (x: number[], y: number[], mx: number, my: number) =>
    x.reduce((s, v, i) => s + (v - mx) * (y[i]! - my), 0)
  return dot(a, b, ma, mb) / Math.sqrt(dot(a, a, ma, ma) * dot(b, b, mb, mb))
}

describe('the simulated market', () => {
  test('one seed is one market, another seed another', () => {
    expect(ticksOf('7', 50)).toEqual(ticksOf('7', 50))
    expect(ticksOf('7', 50)).not.toEqual(ticksOf('8', 50))
  })

  test('every tick passes quality, lies on its grid and names its source', () => {
    for (const tick of ticksOf('grid', 200)) {
      expect(faultOf(tick)).toBeNull()
      expect(tick.venue).toBe('sim')
      const instrument = CATALOGUE.find((i) => i.symbol === tick.symbol)!
      const prices =
        tick.kind === 'quote'
          ? [tick.bid, tick.ask]
          : tick.kind === 'levels'
            ? [...tick.bids, ...tick.asks].map((l) => l[0])
            : tick.kind === 'trade'
              ? [tick.price]
              : []
      for (const price of prices) expect(isMultiple(dec(price), dec(instrument.price_tick))).toBe(true)
    }
  })

  test('coins move together, a cross agrees with its legs', () => {
    const ticks = ticksOf('corr', 3000, 60_000)
    const [btc, eth, eur, jpy, cross] = ['BTC/USD', 'ETH/USD', 'EUR/USD', 'USD/JPY', 'EUR/JPY'].map((s) =>
      midsOf(ticks, s),
    )
    expect(correlation(returns(btc!), returns(eth!))).toBeGreaterThan(0.5)
    for (const [i, rate] of cross!.entries()) expect(Math.abs(rate / (eur![i]! * jpy![i]!) - 1)).toBeLessThan(0.0005)
  })

  test('it goes on from the prices that a log knows', () => {
    const from = new Map([
      ['BTC/USD', 30_000],
      ['USD/JPY', 120],
    ])
    const world = new World({ seed: 'x', instruments: CATALOGUE, from })
    const ticks = world.step(0, 250)
    expect(midsOf(ticks, 'BTC/USD')[0]! / 30_000).toBeCloseTo(1, 2)
    expect(midsOf(ticks, 'USD/JPY')[0]! / 120).toBeCloseTo(1, 2)
  })

  test('in market time of its own it is a log: gapless, never back, clocked each minute', async () => {
    const events: MarketEvent[] = []
    for await (const batch of simEvents({
      seed: '1',
      instruments: CATALOGUE.slice(0, 2),
      startMts: 1_700_000_000_000,
      tickMs: 150_000,
      steps: 5,
    }))
      events.push(...batch)
    expect(events.every((e, i) => e.mseq === i + 1 && (i === 0 || e.mts >= events[i - 1]!.mts))).toBe(true)
    expect(events.filter((e) => e.kind === 'clock').length).toBe(8)
  })
})
