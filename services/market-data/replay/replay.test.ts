import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { MarketEvent, TradeTick } from '@assay/core/domain/market/event'
import { createLockstep } from '@assay/core/ports/marketlog/lockstep-memory'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { deriveInstrument } from '../recording/derive-instrument.ts'
import { type Scan, scanRecording } from '../recording/scan-recording.ts'
import { scratchRecordings, sharedRecordings } from '../testing/recordings.ts'
import { quotesFromCandles } from './quotes-from-candles.ts'
import { quotesFromTrades } from './quotes-from-trades.ts'
import { replayEvents } from './replay-events.ts'
import { runReplay } from './run-replay.ts'

const scratch = scratchRecordings()
afterAll(() => scratch.remove())
const shared = sharedRecordings()

const instrumentsOf = (scan: Scan) => new Map(scan.symbols.map((s) => [s.symbol, deriveInstrument(s)]))
async function eventsOf(scan: Scan, more: { clocks?: number[] } = {}): Promise<MarketEvent[]> {
  const events: MarketEvent[] = []
  for await (const batch of replayEvents({ scan, instruments: instrumentsOf(scan), ...more })) events.push(...batch)
  return events
}
const T0 = Date.UTC(2024, 0, 1)

describe('quotes that a recording lacks', () => {
  const print = (side: 'buy' | 'sell', price: string, size = '1'): TradeTick => ({
    kind: 'trade',
    symbol: 'TST/USD',
    venue: 'replay',
    ts: 1,
    pos: 1,
    price,
    size,
    side,
  })

  test('from trades: last buy is the ask, last sell the bid, a crossing print moves the other side a tick away', () => {
    const quote = quotesFromTrades('0.1')
    const touch = (t: TradeTick) => [t.bid, t.bid_size, t.ask, t.ask_size, t.synthetic]
    expect(touch(quote(print('buy', '10')))).toEqual([undefined, undefined, undefined, undefined, undefined])
    expect(touch(quote(print('sell', '9.8', '2')))).toEqual(['9.8', '2', '10', '1', 'trades'])
    expect(touch(quote(print('buy', '9.7', '3')))).toEqual(['9.6', '2', '9.7', '3', 'trades'])
    expect(touch(quote(print('sell', '9.9', '4')))).toEqual(['9.9', '4', '10', '3', 'trades'])
    expect(touch(quote(print('buy', '9.9', '5')))).toEqual(['9.9', '4', '9.9', '5', 'trades'])
  })

  test('from candles: open, low, high, close when it rose or stood, else open, high, low, close', () => {
    const make = quotesFromCandles({ priceTick: '0.5', spreadTicks: '2', candleMs: 60_000, candleTime: 'close' })
    const candle = {
      kind: 'candle',
      symbol: 'TST/USD',
      venue: 'replay',
      ts: 120_000,
      pos: 3,
      high: '9',
      low: '4',
    } as const
    const path = (open: string, close: string) => make({ ...candle, open, close }).map((q) => [q.ts, q.bid, q.ask])
    expect(path('5', '6')).toEqual([
      [60_000, '5', '6'],
      [80_000, '4', '5'],
      [100_000, '9', '10'],
      [119_999, '6', '7'],
    ])
    expect(path('5', '5').map((q) => q[1])).toEqual(['5', '4', '9', '5'])
    expect(path('6', '5').map((q) => q[1])).toEqual(['6', '9', '4', '5'])
  })
})

describe('replay', () => {
  const csv = (times: number[]) =>
    scratch.write(
      `tst-usd-${times.length}.csv`,
      `timestamp,symbol,bid,ask\n${times.map((t, i) => `${T0 + t},TST/USD,${i + 1},${i + 2}`).join('\n')}\n`,
    )

  test('a clock stands where recorded time would else advance by more than a minute, and nowhere else', async () => {
    const events = await eventsOf(await scanRecording({ file: csv([0, 60_000, 200_000]) }))
    expect(events.map((e) => [e.mseq, e.kind, e.mts - T0])).toEqual([
      [1, 'symbol_state', 0],
      [2, 'quote', 0],
      [3, 'quote', 60_000],
      [4, 'clock', 120_000],
      [5, 'clock', 180_000],
      [6, 'quote', 200_000],
    ])
  })

  test('an asked clock stands after every event of its time; behind the end the feed is lost', async () => {
    const events = await eventsOf(await scanRecording({ file: csv([0, 1000, 2000]) }), {
      clocks: [T0 + 70_000, T0 + 1000, T0 + 1500, T0 + 1000],
    })
    expect(events.map((e) => [e.kind, e.mts - T0])).toEqual([
      ['symbol_state', 0],
      ['quote', 0],
      ['quote', 1000],
      ['clock', 1000],
      ['clock', 1500],
      ['quote', 2000],
      ['clock', 62_000],
      ['symbol_state', 70_000],
      ['clock', 70_000],
    ])
    expect(events.at(-2)).toMatchObject({ state: 'unknown' })
  })

  test('a recording that goes back in time: a little is put right, the rest is quarantined and named', async () => {
    const scan = await scanRecording({ file: csv([0, 1000, 500, 9000, 100, 9500]) })
    const bad: string[] = []
    const events: MarketEvent[] = []
    for await (const batch of replayEvents({
      scan,
      instruments: instrumentsOf(scan),
      onQuarantine: (q) => bad.push(`${q.tick.pos} ${q.reason}`),
    }))
      events.push(...batch)
    expect(events.slice(1).map((e) => [e.pos, e.mts - T0])).toEqual([
      [2, 0],
      [4, 500],
      [3, 1000],
      [5, 9000],
      [7, 9500],
    ])
    expect(bad).toEqual(['6 out_of_order'])
  })

  test('candles of two symbols interleave by time, and market time never falls', async () => {
    const rows = [0, 60_000].flatMap((t) => ['AAA', 'BBB'].map((base) => `${T0 + t},${base}/USD,1,3,0.5,2,10`))
    const events = await eventsOf(
      await scanRecording({
        file: scratch.write('c.csv', `timestamp,symbol,open,high,low,close,volume\n${rows.join('\n')}`),
      }),
    )
    const quotes = events.filter((e) => e.kind === 'quote')
    expect(quotes.map((e) => [e.symbol[0], e.ts - T0])).toEqual(
      [0, 60_000].flatMap((t) =>
        [0, 20_000, 40_000, 59_999].flatMap((at) => [
          ['A', t + at],
          ['B', t + at],
        ]),
      ),
    )
    expect(quotes.every((e) => e.mts === e.ts && e.synthetic === 'candles')).toBe(true)
  })

  test('a run that was cut off goes on where the log ends, and the log is that of a run never cut', async () => {
    const scan = await scanRecording({ file: csv(Array.from({ length: 300 }, (_, i) => i * 7000)) })
    const run = { scan, instruments: instrumentsOf(scan), group: 'main', speed: 'max' as const }
    const whole = await eventsOf(scan)
    const log = createMemoryLog()
    await log.fence('main', 1)
    await log.append('main', 1, whole.slice(0, 123))
    await log.fence('main', 2)
    const done = await runReplay({ ...run, log, epoch: 2 })
    expect(done).toMatchObject({ events: whole.length - 123, mseq: whole.length })
    const seen: MarketEvent[] = []
    for await (const batch of log.read('main', 1, AbortSignal.timeout(2000))) {
      seen.push(...batch)
      if (seen.length === whole.length) break
    }
    expect(seen).toEqual(whole)
  })

  test('in lockstep no event comes before the one before it was applied and answered', async () => {
    const scan = await scanRecording({ file: csv([0, 1000, 2000, 3000]) })
    const log = createMemoryLog()
    await log.fence('main', 1)
    const clock = { now: () => 0, monotonic: () => 0, sleep: () => new Promise<void>(() => {}) }
    const lockstep = createLockstep('main', clock)
    const owner = lockstep.join('owner', 'slot 0')
    const driver = lockstep.join('driver', 'demo')
    const clocks: [number, number][] = []
    const running = runReplay({
      scan,
      instruments: instrumentsOf(scan),
      log,
      group: 'main',
      epoch: 1,
      speed: 'max',
      lockstep,
      clocks: [T0 + 1000],
      onClock: async (at, mseq) => void clocks.push([at - T0, mseq]),
    })
    let applied = 0
    for await (const batch of log.read('main', 1, AbortSignal.timeout(2000))) {
      expect(batch.length).toBe(1)
      applied = batch[0]!.mseq
      owner.report(applied)
      driver.report(applied)
      if (applied === 6) break
    }
    expect((await running).mseq).toBe(6)
    expect(clocks).toEqual([[1000, 4]])
  })
  test('in lockstep everybody else in the process gets a turn all the while, however busy owner and driver are', async () => {
    const scan = await scanRecording({ file: csv(Array.from({ length: 40 }, (_, i) => i * 1000)) })
    const log = createMemoryLog()
    await log.fence('main', 1)
    const clock = { now: () => 0, monotonic: () => 0, sleep: () => new Promise<void>(() => {}) }
    const lockstep = createLockstep('main', clock)
    const owner = lockstep.join('owner', 'slot 0')
    const driver = lockstep.join('driver', 'demo')
    const instruments = instrumentsOf(scan)
    const running = runReplay({ scan, instruments, log, group: 'main', epoch: 1, speed: 'max', lockstep })
    const turns = new Set<number>()
    let at = 0
    let done = false
    const tick = (): void => {
      turns.add(at)
      if (!done) setImmediate(tick)
    }
    for await (const [event] of log.read('main', 1, AbortSignal.timeout(5000))) {
      if (at === 0) setImmediate(tick)
      at = event!.mseq
      for (const until = performance.now() + 5; performance.now() < until; );
      owner.report(at)
      driver.report(at)
      if (at === 40) break
    }
    done = true
    await running
    expect(turns.size).toBeGreaterThan(10)
  })
})

describe.skipIf(!shared)('the shared recordings', () => {
  test('XRP/ETH: one print is one event, marked synthetic once both sides were printed', async () => {
    const events = await eventsOf(await scanRecording({ file: join(shared!, 'xrp-eth-trades-2019-10.json.gz') }))
    const trades = events.filter((e) => e.kind === 'trade')
    expect([trades.length, trades.filter((e) => e.synthetic === 'trades').length]).toEqual([12477, 12474])
    expect(trades.every((e) => e.bid === undefined || Number(e.bid) <= Number(e.ask))).toBe(true)
    expect(
      events.every(
        (e, i) =>
          e.mseq === i + 1 && (i === 0 || (e.mts >= events[i - 1]!.mts && e.mts - events[i - 1]!.mts <= 60_000)),
      ),
    ).toBe(true)
  })
})
