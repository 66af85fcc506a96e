import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChannelEvent, ChannelSource } from '@assay/core/kernel/channel'
import { compose, type Platform } from '@assay/core/kernel/compose'
import { readConfig } from '@assay/core/kernel/config'
import { createLifecycle, type Lifecycle } from '@assay/core/kernel/lifecycle'
import { createMetrics } from '@assay/core/kernel/metrics'
import { openBlobFolder } from '@assay/core/ports/blobs/folder'
import { createEmbeddedBus } from '@assay/core/ports/bus/embedded'
import { createMemoryCache } from '@assay/core/ports/cache/memory'
import { systemClock as clock } from '@assay/core/ports/clock/system'
import type { Lockstep } from '@assay/core/ports/marketlog/lockstep'
import { createLockstep } from '@assay/core/ports/marketlog/lockstep-memory'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { openSegmentLog } from '@assay/core/ports/marketlog/segments'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { until } from '@assay/core/testing/until'
import pino from 'pino'
import { marketData } from './service.ts'
import { scratchRecordings } from './testing/recordings.ts'

let database: TestDatabase
const folder = mkdtempSync(join(tmpdir(), 'market-data-'))
const scratch = scratchRecordings()
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(async () => {
  await database.drop()
  scratch.remove()
  rmSync(folder, { recursive: true })
})

interface Started {
  platform: Platform
  lifecycle: Lifecycle
  marketlog: MarketLog
  lockstep: Lockstep
  channels: ChannelSource[]
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many routes
  get: (path: string) => Promise<{ status: number; body: any }>
}
async function start(name: string, env: Record<string, string>): Promise<Started> {
  const log = pino({ level: 'silent' })
  const lifecycle = createLifecycle({ log })
  const marketlog = await openSegmentLog({ folder: join(folder, name), clock, reserveBytes: 1024 })
  lifecycle.defer('marketlog', () => marketlog.close())
  const lockstep = createLockstep('main', clock)
  let channels: ChannelSource[] = []
  const spied = {
    ...marketData,
    create: async (...args: Parameters<typeof marketData.create>) => {
      const running = await marketData.create(...args)
      channels = running.channels!
      return running
    },
  }
  const platform = await compose({
    services: [spied],
    config: readConfig(env, [marketData.config]),
    lifecycle,
    base: {
      production: false,
      home: folder,
      log,
      metrics: createMetrics(),
      clock,
      db: database.db,
      marketlog,
      lockstep: () => lockstep,
      bus: await createEmbeddedBus({ db: database.db, clock, log }),
      cache: createMemoryCache(clock),
      secrets: undefined as never,
      limiter: undefined as never,
      presence: undefined as never,
      payments: undefined as never,
      mail: undefined as never,
      blobs: openBlobFolder(join(folder, 'blobs')),
    },
  })
  await platform.start()
  const get = async (path: string) => {
    const response = await platform.app.handle(new Request(`http://localhost${path}`))
    return { status: response.status, body: await response.json() }
  }
  return { platform, lifecycle, marketlog, lockstep, channels, get }
}

describe('market data on the simulated feed', () => {
  let started: Started
  beforeAll(async () => {
    started = await start('sim', { FEEDS: 'sim', SIM_TICK_MS: '20' })
    await until('every symbol is quoted', async () =>
      (await started.get('/api/market/symbols')).body.items.every((s: { quoted_at: unknown }) => s.quoted_at),
    )
  })
  afterAll(() => started.lifecycle.close())

  test('it is ready, and says where its log stands', async () => {
    expect((await started.platform.health.readiness()).ready).toBe(true)
    const { body } = await started.get('/api/time')
    expect(body.groups.main.mseq).toBeGreaterThan(10)
    expect((await started.get('/health')).body.stores.market_log).toMatchObject({ group: 'main', disk: 'ok' })
  })

  test('symbols carry their instrument, in pages', async () => {
    const first = (await started.get('/api/market/symbols?limit=4')).body
    expect(first.items.map((s: { symbol: string }) => s.symbol)).toEqual(['AUD/USD', 'BTC/USD', 'ETH/USD', 'EUR/JPY'])
    expect(first.items[1]).toMatchObject({
      venue: 'sim',
      state: 'open',
      candle_basis: 'trades',
      instrument: { symbol: 'BTC/USD', price_tick: '0.01' },
    })
    const rest = (await started.get(`/api/market/symbols?cursor=${encodeURIComponent(first.next)}`)).body
    expect([rest.items[0].symbol, rest.next]).toEqual(['EUR/USD', null])
  })

  test('a symbol is found under BTC-USD and BTC%2FUSD, an unknown one is 404 with the nearest', async () => {
    for (const name of ['BTC-USD', 'BTC%2FUSD']) {
      const { status, body } = await started.get(`/api/market/ticker/${name}`)
      expect([status, body.symbol, body.state]).toEqual([200, 'BTC/USD', 'open'])
      expect(Number(body.ask)).toBeGreaterThan(Number(body.bid))
    }
    const { status, body } = await started.get('/api/market/ticker/BTC-EUR')
    expect([status, body.code, body.nearest]).toEqual([404, 'not_found', 'BTC/USD'])
  })

  test('candles follow the basis asked for; what is wrong is named', async () => {
    const { body } = await started.get('/api/market/candles/EUR-USD?resolution=1s&limit=3')
    expect([body.symbol, body.basis, body.items.length > 0]).toEqual(['EUR/USD', 'bid', true])
    expect((await started.get('/api/market/candles/EUR-USD?basis=mid')).body.basis).toBe('mid')
    expect((await started.get('/api/market/candles/EUR-USD?resolution=7m')).status).toBe(422)
    expect((await started.get('/api/market/candles/EUR-USD?limit=501')).status).toBe(422)
    expect(
      (await started.get('/api/market/candles/EUR-USD?from=2025-01-02T00:00:00Z&to=2025-01-01T00:00:00Z')).body.field,
    ).toBe('from')
  })

  test('a channel gives a snapshot and then every event behind it', async () => {
    const ticks = started.channels.find((c) => c.name === 'ticks')!
    const key = (await ticks.parse('EUR-USD'))!
    expect([key, await ticks.parse('NO/PE')]).toEqual(['EUR/USD', null])
    const pushed: ChannelEvent[] = []
    const stop = ticks.listen(key, (event) => pushed.push(event))
    const { seq, data } = await ticks.snapshot({ requestId: 'r', actor: null, address: '' }, key)
    expect(data).toMatchObject({ symbol: 'EUR/USD' })
    await until('five events', () => pushed.length >= 5)
    stop()
    const again = await ticks.since(key, seq)
    expect(again!.slice(0, 5).map((e) => e.seq)).toEqual(pushed.slice(0, 5).map((e) => e.seq))
    expect(await ticks.since(key, seq + 1_000_000)).toBeNull()

    const candles = started.channels.find((c) => c.name === 'candles')!
    expect([candles.parse('EUR/USD:1m'), candles.parse('EUR/USD:2m'), candles.parse('1m')]).toEqual([
      'EUR/USD:1m',
      null,
      null,
    ])
    const bars: ChannelEvent[] = []
    const stopBars = candles.listen('EUR/USD:1s', (event) => bars.push(event))
    await until('candles of two seconds', () => new Set(bars.map((b) => b.conflate)).size >= 2)
    stopBars()
    expect(bars.every((b, i) => i === 0 || b.seq > bars[i - 1]!.seq)).toBe(true)
  })

  test('a restart raises the epoch, writes a gap, and goes on near the last price', async () => {
    const before = (await started.get('/api/market/ticker/BTC-USD')).body
    const was = (await started.marketlog.end('main'))!
    await started.lifecycle.close()
    started = await start('sim', { FEEDS: 'sim', SIM_TICK_MS: '20' })
    await until(
      'the feed is quoted again',
      async () => (await started.get('/api/market/ticker/BTC-USD')).body.mseq > was.mseq + 40,
    )
    const after = (await started.get('/api/market/ticker/BTC-USD')).body
    expect((await started.marketlog.end('main'))!.epoch).toBeGreaterThan(was.epoch)
    expect(Math.abs(Number(after.bid) / Number(before.bid) - 1)).toBeLessThan(0.01)
    const gaps: string[] = []
    for await (const batch of started.marketlog.read('main', was.mseq, AbortSignal.timeout(2000))) {
      for (const event of batch) if (event.kind === 'gap') gaps.push(event.reason)
      if (gaps.length > 0) break
    }
    expect(gaps).toEqual(['restart'])
  }, 15_000)
})

describe('market data on a recording', () => {
  const csv = `timestamp,symbol,side,price,size\n${Array.from({ length: 50 }, (_, i) => `${1_700_000_000_000 + i * 1000},TST/USD,${i % 2 ? 'buy' : 'sell'},${100 + (i % 7)},${i + 1}`).join('\n')}\n`

  test('played as fast as it goes: everything is served, the end is said, a restart plays nothing twice', async () => {
    const FEEDS = `replay:${scratch.write('tst.csv', csv)}?speed=max`
    let run = await start('replay', { FEEDS })
    const ended = async () =>
      (await run.get('/api/market/ticker/TST-USD')).body.state === 'unknown' &&
      (await run.get('/api/market/ticker/TST-USD')).body.mseq > 0
    await until('the recording has ended', ended)
    await until('its log is sealed', async () => (await run.marketlog.segments('main', 1, 52)).at(-1)?.last === 52)
    const { body } = await run.get('/api/market/ticker/TST-USD')
    expect(body).toMatchObject({ venue: 'replay', last: '100', synthetic: 'trades', volume_24h: '1275', mseq: 52 })
    expect(
      (await run.get('/api/market/candles/TST-USD?resolution=1m')).body.items.map((c: { count: number }) => c.count),
    ).toEqual([40, 10])
    const first = (await run.get('/api/market/trades/TST-USD?limit=20')).body
    const second = (await run.get(`/api/market/trades/TST-USD?limit=40&cursor=${first.next}`)).body
    expect([...first.items, ...second.items].map((t) => t.mseq)).toEqual(Array.from({ length: 50 }, (_, i) => 51 - i))
    expect(second.next).toBeNull()
    expect((await run.get('/api/market/symbols')).body.items[0].instrument).toMatchObject({
      symbol: 'TST/USD',
      price_tick: '1',
      quantity_step: '1',
    })
    await run.lifecycle.close()
    run = await start('replay', { FEEDS })
    await until('it is read again', ended)
    expect((await run.marketlog.end('main'))?.mseq).toBe(52)
    expect((await run.get('/api/market/ticker/TST-USD')).body).toEqual(body)
    await run.lifecycle.close()
  })

  test('in lockstep it waits for a driver, goes on only with it, and seals the log behind it', async () => {
    const epoch = async () => Number((await database.db.query('select epoch from market_data.leader'))[0]?.epoch ?? 0)
    const before = await epoch()
    const run = await start('lockstep', { FEEDS: `replay:${scratch.write('tst2.csv', csv)}?speed=lockstep` })
    const owner = run.lockstep.join('owner', 'engine')
    await until('leading', async () => (await epoch()) > before)
    expect(await run.marketlog.end('main')).toBeNull()
    const driver = run.lockstep.join('driver', 'test')
    for await (const batch of run.marketlog.read('main', 1, AbortSignal.timeout(4000))) {
      const { mseq } = batch.at(-1)!
      owner.report(mseq)
      driver.report(mseq)
      if (mseq === 52) break
    }
    await until('sealed', async () => (await run.marketlog.segments('main', 1, 52)).at(-1)?.last === 52)
    await run.lifecycle.close()
  })

  test('a feed that cannot be is refused at the start by the name of the variable', async () => {
    for (const FEEDS of ['binance', 'replay:x.csv?speed=fast', 'moon'])
      expect(() => readConfig({ FEEDS }, [marketData.config])).toThrow('FEEDS')
    await expect(start('bad', { FEEDS: 'replay:/nowhere/x.csv' })).rejects.toThrow(
      'FEEDS: /nowhere/x.csv: no such file',
    )
  })
})
