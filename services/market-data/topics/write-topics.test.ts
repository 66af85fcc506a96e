import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { MarketEvent } from '@assay/core/domain/market/event'
import type { Bus, Envelope } from '@assay/core/ports/bus/port'
import { systemClock } from '@assay/core/ports/clock/system'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { until } from '@assay/core/testing/until'
import { followMarket } from '../products/follow.ts'
import { Market } from '../products/market.ts'
import { simSymbols } from '../symbols/market-symbol.ts'
import { writeTopics } from './write-topics.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
}, 20_000)
afterAll(() => database.drop(), 20_000)

const T0 = Date.UTC(2025, 0, 1)
/** Replicas of market-data over one log; `told` is what the topics hold, in order. */
async function world(group: string) {
  const marketlog = createMemoryLog()
  await marketlog.fence(group, 1)
  const told: Envelope[] = []
  let mseq = 0
  const replica = (holder: string) => {
    const stop = new AbortController()
    let gone = false
    const market = new Market(simSymbols(), () => 0)
    const bus = {
      async publishEnvelopes(envelopes: readonly Envelope[]) {
        // a process that was killed says nothing more
        if (gone) await new Promise(() => {})
        told.push(...envelopes)
      },
    } as unknown as Bus
    const db = database.db.as('market_data')
    // not the one process of its data folder: it has to wait for a lease
    const shared = { query: db.query.bind(db), kind: 'postgres' } as typeof db
    const log = { warn: () => {} }
    void followMarket(market, marketlog, group, stop.signal, () => {})
    const writing = writeTopics(
      { db: shared, market, marketlog, bus, clock: systemClock, log, group, holder },
      stop.signal,
    )
    return {
      async end() {
        stop.abort()
        await writing
      },
      /** as kill -9, and its lease has run out */
      async kill() {
        gone = true
        await database.db.query(`update market_data.leader set expires_at = now() where market_group = $1`, [
          `${group} topics`,
        ])
      },
    }
  }
  return {
    told,
    replica,
    async print(price: string) {
      mseq++
      const of = { symbol: 'BTC/USD', venue: 'sim', price, size: '1', side: 'buy' }
      const event = { kind: 'trade', pos: 0, ts: T0 + mseq * 400, ...of, mseq, mts: T0 + mseq * 400 }
      await marketlog.append(group, 1, [event as unknown as MarketEvent])
    },
    ticks: () => told.filter(({ topic }) => topic.endsWith('-ticks')).map(({ data }) => (data as MarketEvent).mseq),
    candles: () => told.filter(({ topic }) => topic === 'market-data.candles'),
  }
}

test('of several replicas one writes the topics; the next goes on where it stood, and what is repeated has the ids it had', async () => {
  const w = await world('topics-1')
  const first = w.replica('first')
  await w.print('10')
  await until('the first one writes', async () => {
    await w.print('11')
    return w.ticks().length > 0
  })
  const second = w.replica('second')
  const third = w.replica('third')
  for (let n = 0; n < 5; n++) await w.print('12')
  await until('all are told', () => w.ticks().at(-1)! >= 6)
  await until('its place is kept', async () => {
    const row = await database.db.query(
      `select position from market_data.leader where market_group = 'topics-1 topics'`,
    )
    return Number(row[0]!.position) >= 6
  })
  for (let n = 0; n < 5; n++) await w.print('13')
  const before = w.ticks().at(-1)!
  await first.kill()
  await until('another one writes', () => w.ticks().at(-1)! > before, 10_000)
  for (let n = 0; n < 5; n++) await w.print('14')
  const last = w.ticks()[0]! + new Set(w.ticks()).size - 1
  await until('the rest is told', () => w.ticks().at(-1)! >= last)
  const ids = new Map<string, string>()
  for (const { id, data, topic } of w.told) {
    const said = JSON.stringify([topic, data])
    expect(ids.get(id) ?? said).toBe(said)
    ids.set(id, said)
  }
  const mseqs = [...new Set(w.ticks())].sort((a, b) => a - b)
  expect(mseqs).toEqual(Array.from({ length: mseqs.length }, (_, n) => mseqs[0]! + n))
  expect(new Set(w.told.filter(({ topic }) => topic.endsWith('-ticks')).map(({ id }) => id)).size).toBe(mseqs.length)
  expect(w.candles().length).toBeGreaterThan(0)
  for (const { id } of w.told) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  await second.end()
  await third.end()
}, 30_000)
