import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { systemClock } from '@assay/core/ports/clock/system'
import type { KafkaConnection } from '@assay/core/ports/kafka/connection'
import { applyTopics } from '@assay/core/ports/kafka/topics'
import { openKafkaLog, sequencedTopic } from '@assay/core/ports/marketlog/kafka'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { openSegmentLog } from '@assay/core/ports/marketlog/segments'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { describeKafka, dropTopics, testKafka } from '@assay/core/testing/kafka'
import { moveMarketLog } from './move-market-log.ts'

setDefaultTimeout(60_000)
const START = Date.UTC(2024, 0, 1)
const GROUPS = ['whole', 'resumed', 'dropped', 'young', 'foreign']
const quote = (mseq: number, mts = START + mseq * 1_000, bid = mseq): MarketEvent => ({
  kind: 'quote',
  symbol: mseq % 2 === 0 ? 'BTC/USD' : 'ETH/USD',
  venue: 'test',
  ts: mts,
  pos: mseq,
  bid: String(bid),
  ask: String(bid + 1),
  mseq,
  mts,
})
const quotes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => quote(from + i))

describeKafka('moving a market log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-move-log-'))
  let connection: KafkaConnection
  let database: TestDatabase
  let source: MarketLog
  const said: string[] = []
  const open = () =>
    openKafkaLog({ connection, db: database.db, clock: systemClock, log: { warn: () => {} }, groups: GROUPS })
  const move = (group: string) =>
    moveMarketLog({ group, source, open, target: database.db, say: (_, line) => said.push(line) })
  /** Opened anew, as a platform does. */
  const inKafka = async <T>(look: (log: MarketLog) => Promise<T>): Promise<T> => {
    const log = open()
    return look(log).finally(() => log.close())
  }
  const same = async (group: string) => {
    const [heads, end] = [await source.segments(group, 1, 1e9), (await source.end(group))!]
    await inKafka(async (log) => {
      expect(await log.end(group)).toEqual(end)
      expect((await log.segments(group, 1, 1e9)).filter(({ groups }) => Object.keys(groups).length > 0)).toEqual(heads)
      for (const at of [heads[0]?.first ?? end.mseq, end.mseq])
        expect(await log.carry(group, at)).toEqual(await source.carry(group, at))
    })
  }

  beforeAll(async () => {
    connection = testKafka('move-log')
    database = await testDatabase()
    await applyTopics(connection, [sequencedTopic(connection, GROUPS, 1 << 30)])
    source = await openSegmentLog({
      folder,
      clock: systemClock,
      reserveBytes: 64 * 1024,
      fileEvents: 100,
      keepEvents: 0,
    })
  })
  afterAll(async () => {
    await source.close()
    rmSync(folder, { recursive: true })
    await dropTopics(connection)
    await database.drop()
  })

  test('segments ended by hand and by their minute have the same heads there, and the next leader goes on', async () => {
    await source.fence('whole', 3)
    await source.append('whole', 3, quotes(1, 90))
    await source.seal('whole')
    await source.append('whole', 3, quotes(91, 400))
    await source.fence('whole', 4)
    await source.append('whole', 4, quotes(401, 430))
    await source.seal('whole')
    await move('whole')
    await same('whole')
    await inKafka(async (log) => {
      await log.fence('whole', 5)
      await log.append('whole', 5, quotes(431, 440))
    })
  })
  test('an interrupted move goes on behind what is there, also before a segment that was to be ended by hand', async () => {
    await source.fence('resumed', 1)
    await source.append('resumed', 1, quotes(1, 70))
    await source.seal('resumed')
    await source.append('resumed', 1, quotes(71, 200))
    await inKafka(async (log) => {
      await log.fence('resumed', 1)
      await log.append('resumed', 1, quotes(1, 70))
    })
    await move('resumed')
    expect(said).toContain('market log resumed: goes on behind event 70')
    await same('resumed')
    await move('resumed')
    await same('resumed')
  })
  test.each(['dropped', 'young'])(
    'a log whose beginning was dropped begins there with the same head and carry: %s',
    async (group) => {
      await source.fence(group, 1)
      await source.append(group, 1, quotes(1, 600))
      // of the young one only the open segment is left
      if (group === 'young') await source.append(group, 1, [quote(601, START + 7_200_000)])
      await source.retain(group, { beforeMts: START + (group === 'young' ? 7_100_000 : 400_000), maxBytes: 1e9 })
      const { from } = await source.carry(group, 0)
      expect(from).toBeGreaterThan(100)
      await move(group)
      await same(group)
      const [row] = await database.db.query<{ n: string }>(
        `select count(*) as n from bus.segment where market_group = $1 and "offset" < 0`,
        [group],
      )
      expect(Number(row!.n)).toBe((await source.segments(group, 1, 1e9)).length > 0 ? 0 : 1)
      await inKafka(async (log) => {
        await log.fence(group, 2)
        const { mseq, mts } = (await source.end(group))!
        await log.append(group, 2, [quote(mseq + 1, mts + 120_000)])
        const newest = (await log.segments(group, mseq, mseq)).at(-1)!
        await source.append(group, 1, [quote(mseq + 1, mts + 120_000)])
        expect(newest).toEqual((await source.segments(group, mseq, mseq)).at(-1)!)
      })
    },
  )
  test('another log is not written to', async () => {
    await source.fence('foreign', 1)
    await source.append('foreign', 1, quotes(1, 200))
    await inKafka(async (log) => {
      await log.fence('foreign', 1)
      await log.append('foreign', 1, [...quotes(1, 100), quote(101, START + 101_000, 7)])
    })
    // bun's `rejects` starves the database's sockets
    expect(await move('foreign').then(() => 'moved', String)).toContain('differs at event 101')
  })
})
