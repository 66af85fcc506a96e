import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { MarketEvent } from '../../domain/market/event.ts'
import { SegmentBuilder, type SegmentHead } from '../../domain/proof/segment.ts'
import type { TestDatabase } from '../../testing/database.ts'
import { testDatabase } from '../../testing/database.ts'
import { describeKafka, dropTopics, testKafka } from '../../testing/kafka.ts'
import { systemClock } from '../clock/system.ts'
import { BatchingProducer } from '../kafka/batching-producer.ts'
import type { KafkaConnection } from '../kafka/connection.ts'
import { PartitionFetcher } from '../kafka/partition-fetcher.ts'
import { applyTopics } from '../kafka/topics.ts'
import { type KafkaLogOptions, openKafkaLog, sequencedTopic } from './kafka.ts'
import { FencedError, type MarketLog } from './port.ts'
import { eventRecords } from './record.ts'

setDefaultTimeout(30_000)
const START = Date.UTC(2024, 0, 1)
const GROUPS = ['zombie', 'race', 'restart', 'index', 'wiped', 'speed']
const quote = (mseq: number, bid = 100, mts = START + mseq * 1000): MarketEvent => ({
  kind: 'quote',
  symbol: 'BTC/USD',
  venue: 'test',
  ts: mts,
  pos: mseq,
  bid: String(bid),
  ask: String(bid + 1),
  mseq,
  mts,
})
const quotes = (from: number, n: number, bid = 100) => Array.from({ length: n }, (_, i) => quote(from + i, bid))

describeKafka('market log', () => {
  let connection: KafkaConnection
  let database: TestDatabase
  const opened: MarketLog[] = []
  const open = (options: Partial<KafkaLogOptions> = {}): MarketLog => {
    const log = openKafkaLog({
      connection,
      db: database.db,
      clock: systemClock,
      log: { warn: () => {} },
      groups: GROUPS,
      ...options,
    })
    opened.push(log)
    return log
  }
  beforeAll(async () => {
    connection = testKafka('marketlog')
    database = await testDatabase()
    await applyTopics(connection, [sequencedTopic(connection, GROUPS, 1 << 30)])
  })
  afterAll(async () => {
    await Promise.all(opened.map((log) => log.close()))
    await dropTopics(connection)
    await database.drop()
  })
  const read = async (log: MarketLog, group: string, to: number): Promise<MarketEvent[]> => {
    const seen: MarketEvent[] = []
    for await (const batch of log.read(group, 1, AbortSignal.timeout(10_000))) {
      seen.push(...batch)
      if (seen.at(-1)!.mseq >= to) break
    }
    return seen
  }
  const bids = (events: readonly MarketEvent[]) => events.map((event) => ('bid' in event ? Number(event.bid) : 0))
  /** What a leader's process still sends after it was stopped and another one took over. */
  const lateWrite = async (group: string, epoch: number, events: readonly MarketEvent[]) => {
    const producer = new BatchingProducer(connection)
    const topic = connection.named('market-data.sequenced')
    const partition = GROUPS.indexOf(group)
    await producer.send(eventRecords(epoch, events).map((value) => ({ topic, partition, key: group, value })))
    await producer.close()
  }

  test('what an old leader writes after the new fence is dropped by every reader, whenever it began to read', async () => {
    const [old, next, early] = [open(), open(), open({ keepEvents: 0 })]
    await old.fence('zombie', 1)
    await old.append('zombie', 1, quotes(1, 100))
    const reading = read(early, 'zombie', 120)
    await next.fence('zombie', 2)
    await lateWrite('zombie', 1, quotes(101, 30, 666))
    await next.append('zombie', 2, quotes(101, 10, 200))
    await lateWrite('zombie', 1, quotes(111, 30, 666))
    await next.append('zombie', 2, quotes(111, 10, 200))
    const expected = [...bids(quotes(1, 100)), ...bids(quotes(101, 20, 200))]
    for (const log of [old, next, open(), open({ keepEvents: 0 })]) {
      expect(bids(await read(log, 'zombie', 120))).toEqual(expected)
      expect(await log.end('zombie')).toEqual({ mseq: 120, mts: START + 120_000, epoch: 2 })
    }
    expect(bids(await reading)).toEqual(expected)
    expect(await old.append('zombie', 1, quotes(121, 1)).catch((error) => error)).toBeInstanceOf(FencedError)
  })

  test('of two leaders that write at once one is told that it was overtaken, and nothing it was told is durable is lost', async () => {
    const logs = [open(), open()]
    const written: number[] = []
    let epoch = 0
    let fenced = 0
    const lead = async (log: MarketLog, bid: number) => {
      for (let turn = 0; turn < 8; turn++) {
        const mine = ++epoch
        try {
          await log.fence('race', mine)
          for (let n = 0; n < 20; n++) {
            const at = (await log.end('race'))?.mseq ?? 0
            await log.append('race', mine, quotes(at + 1, 3, bid + mine))
            written.push(at + 1, at + 2, at + 3)
          }
        } catch (error) {
          if (!(error instanceof FencedError)) throw error
          fenced++
        }
      }
    }
    await Promise.all([lead(logs[0]!, 1000), lead(logs[1]!, 2000)])
    const end = (await logs[0]!.end('race'))!.mseq
    const seen = await read(open(), 'race', end)
    expect(seen.map(({ mseq }) => mseq)).toEqual(Array.from({ length: end }, (_, i) => i + 1))
    expect(fenced).toBeGreaterThan(0)
    expect(new Set(written).size).toBe(written.length)
    expect(Math.max(...written)).toBeLessThanOrEqual(end)
  })

  test('a process that starts reads from the newest indexed segment, and its heads are those of the whole log', async () => {
    const writer = open({ carryEvents: 200 })
    await writer.fence('index', 1)
    for (let from = 1; from <= 2000; from += 100) await writer.append('index', 1, quotes(from, 100))
    await until(async () => (await rows('index')) >= 32)
    const late = open({ carryEvents: 200, keepEvents: 0 })
    const builder = new SegmentBuilder()
    const heads = quotes(1, 2000).flatMap((event) => builder.add(event) ?? []) as SegmentHead[]
    expect(await late.segments('index', 1, 2000)).toEqual(heads)
    expect(bids(await read(late, 'index', 2000))).toEqual(bids(quotes(1, 2000)))
    const { from, events, prev } = await late.carry('index', 700)
    expect([from, events.map(({ mseq }) => mseq), prev]).toEqual([660, [659], heads.find((h) => h.last === 659)!.head])
  })

  test('an index that speaks of another log is dropped', async () => {
    const writer = open()
    await writer.fence('wiped', 1)
    await writer.append('wiped', 1, quotes(1, 200))
    await until(async () => (await rows('wiped')) === 3)
    await writer.close()
    const other = testKafka('marketlog-other')
    await applyTopics(other, [sequencedTopic(other, GROUPS, 1 << 30)])
    const fresh = open({ connection: other })
    expect(await fresh.end('wiped')).toBeNull()
    expect(await rows('wiped')).toBe(0)
    await fresh.close()
    await dropTopics(other)
  })

  test('a live event is with a reader in another process long before a fetch without events ends', async () => {
    const [writer, reader] = [open(), open()]
    await writer.fence('speed', 1)
    const arrived = new Map<number, number>()
    const reading = (async () => {
      for await (const batch of reader.read('speed', 1, AbortSignal.timeout(20_000))) {
        for (const { mseq } of batch) arrived.set(mseq, performance.now())
        if (arrived.has(200)) return
      }
    })()
    const sent = new Map<number, number>()
    for (let mseq = 1; mseq <= 200; mseq++) {
      sent.set(mseq, performance.now())
      await writer.append('speed', 1, [quote(mseq)])
    }
    await reading
    const took = [...sent].map(([mseq, at]) => arrived.get(mseq)! - at).sort((a, b) => a - b)
    // such a fetch takes 500 ms; on an idle machine an event takes less than 10
    expect(took[100]!).toBeLessThan(250)
  })

  const rows = async (group: string) =>
    (await database.db.query('select from bus.segment where market_group = $1', [group])).length
  const until = async (holds: () => Promise<boolean>) => {
    while (!(await holds())) await new Promise((resolve) => setImmediate(resolve))
  }

  test('a partition is read from any offset', async () => {
    const stop = new AbortController()
    const fetcher = new PartitionFetcher(
      connection,
      connection.named('market-data.sequenced'),
      0,
      systemClock,
      stop.signal,
    )
    const { low, end } = await fetcher.bounds()
    expect(low).toBe(0)
    expect((await fetcher.fetch(end - 1)).map(({ offset }) => offset)).toEqual([end - 1])
    expect(await fetcher.fetch(end, 10)).toEqual([])
    await fetcher.close()
  })
})
