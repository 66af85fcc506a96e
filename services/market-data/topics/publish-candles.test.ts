import { expect, test } from 'bun:test'
import { topicNamed } from '@assay/core/contracts/topics/catalog'
import { candleChanged, sourceChanged } from '@assay/core/contracts/topics/market-data'
import type { MarketEvent } from '@assay/core/domain/market/event'
import type { ChannelEvent } from '@assay/core/kernel/channel'
import type { Bus, Envelope } from '@assay/core/ports/bus/port'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { until } from '@assay/core/testing/until'
import { candlesChannel } from '../channels/candles.ts'
import { followMarket } from '../products/follow.ts'
import { Market } from '../products/market.ts'
import { simSymbols } from '../symbols/market-symbol.ts'
import { publishCandles } from './publish-candles.ts'
import { publishTicks } from './publish-ticks.ts'

const T0 = Date.UTC(2025, 0, 1)
type Told = { topic: string; data: Record<string, unknown> }

/** A log with the products and topics behind it; times are ms after T0. */
async function world(before: [number, string][] = []) {
  const marketlog = createMemoryLog()
  await marketlog.fence('main', 1)
  const market = new Market(simSymbols(), () => 0)
  const told: Told[] = []
  const bus = {
    async publishEnvelopes(envelopes: readonly Envelope[]) {
      for (const { topic, data } of envelopes)
        told.push({ topic, data: topicNamed(topic)!.schema.parse(data) as Record<string, unknown> })
    },
  } as unknown as Bus
  const stop = new AbortController()
  let mseq = 0
  let mts = 0
  const append = async (event: Record<string, unknown>, at: number) => {
    mts = Math.max(mts, T0 + at)
    await marketlog.append('main', 1, [{ pos: 0, ts: T0 + at, ...event, mseq: ++mseq, mts } as unknown as MarketEvent])
  }
  const of = { symbol: 'BTC/USD', venue: 'sim' }
  const print = (ts: number, price: string, at = ts) =>
    append({ kind: 'trade', ...of, ts: T0 + ts, price, size: '1', side: 'buy' }, at)
  const clock = (at: number) => append({ kind: 'clock' }, at)
  for (const [ts, price] of before) await print(ts, price)
  const end = await marketlog.end('main')
  const topics = {
    market,
    marketlog,
    bus,
    group: 'main',
    from: (end?.mseq ?? 0) + 1,
    mts: end?.mts ?? Number.NEGATIVE_INFINITY,
    onPublished: () => {},
  }
  const running = [
    followMarket(market, marketlog, 'main', stop.signal, () => {}),
    publishCandles(topics, stop.signal),
    publishTicks(topics, stop.signal),
  ]
  return {
    market,
    append,
    print,
    clock,
    of,
    told,
    level: () => until('the products are level', () => market.view.mseq === mseq),
    /** open time in s after T0, resolution, revision, close, of candles told so far */
    candles: () =>
      told
        .filter(({ topic }) => topic === candleChanged.name)
        .map(({ data }) => [((data.open_time as number) - T0) / 1000, data.resolution, data.revision, data.close]),
    async end() {
      stop.abort()
      await Promise.all(running)
    },
  }
}

test('a candle is told when market time has passed its end, not before, and what nothing happened in is not', async () => {
  const w = await world()
  await w.print(0, '10')
  await w.print(400, '11')
  await w.clock(999)
  await w.print(1200, '12')
  await w.clock(4000)
  await w.clock(60_000)
  await until('its minute is told', () => w.candles().length === 3)
  expect(w.candles()).toEqual([
    [0, '1s', 2, '11'],
    [1, '1s', 1, '12'],
    [0, '1m', 3, '12'],
  ])
  await w.end()
})

test('a late print tells the candles that it corrects again, under a higher revision', async () => {
  const w = await world()
  await w.print(0, '10')
  await w.clock(2000)
  await until('it is told', () => w.candles().length === 1)
  await w.print(500, '9', 2500)
  await until('it is told again', () => w.candles().length === 2)
  expect(w.candles()).toEqual([
    [0, '1s', 1, '10'],
    [0, '1s', 2, '9'],
  ])
  await w.end()
})

test('after a restart a candle that was open is told whole, and none that was told before', async () => {
  const w = await world([
    [0, '10'],
    [61_000, '11'],
    [61_500, '12'],
  ])
  await w.level()
  await w.print(61_800, '13')
  await w.clock(62_000)
  await until('it is told', () => w.candles().length === 1)
  expect(w.candles()).toEqual([[61, '1s', 3, '13']])
  await w.end()
})

test('a change of source in the log is told under its symbol', async () => {
  const w = await world()
  await w.append({ kind: 'source_changed', ...w.of, from: 'binance', reason: 'stale' }, 5)
  const of = () => w.told.find(({ topic }) => topic === sourceChanged.name)
  await until('it is told', () => of() !== undefined)
  expect(of()!.data).toEqual({ symbol: 'BTC/USD', from: 'binance', to: 'sim', reason: 'stale', mseq: 1, mts: T0 + 5 })
  await w.end()
})

test('a candle corrected behind the newest one is pushed as a mark: the seq of a channel never falls', async () => {
  const w = await world([
    [0, '10'],
    [1200, '11'],
  ])
  await w.level()
  const channel = candlesChannel(w.market)
  const pushed: ChannelEvent[] = []
  const { seq } = await channel.snapshot({} as never, 'BTC/USD:1s')
  const stop = channel.listen('BTC/USD:1s', (event) => pushed.push(event))
  await w.print(500, '9', 1300)
  await w.print(1400, '12')
  await w.print(600, '8', 1500)
  await w.level()
  stop()
  expect(pushed.map(({ kind, mseq }) => [kind, mseq])).toEqual([
    ['mark', 3],
    ['event', 4],
    ['mark', 5],
  ])
  expect(pushed.map((event) => event.seq)).toEqual([seq, seq + 1, seq + 1])
  expect(pushed.map(({ data }) => (data as { close: string }).close)).toEqual(['9', '12', '8'])
  await w.end()
})
