import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { MarketEvent } from '../../domain/market/event.ts'
import { NO_HEAD, SegmentBuilder, type SegmentHead } from '../../domain/proof/segment.ts'
import { FencedError, LostEventsError, type MarketLog } from './port.ts'

export interface MarketLogSubject {
  log: MarketLog
  /** the same log, opened again; absent where an adapter forgets */
  reopen?: () => Promise<MarketLog>
  dispose: () => Promise<void>
}

const START = Date.UTC(2024, 0, 1)
const quote = (mseq: number, mts: number, symbol = 'BTC/USD'): MarketEvent => ({
  kind: 'quote',
  symbol,
  venue: 'test',
  ts: mts,
  pos: mseq,
  bid: String(100 + mseq),
  ask: String(101 + mseq),
  mseq,
  mts,
})
const clock = (mseq: number, mts: number): MarketEvent => ({ kind: 'clock', ts: mts, pos: 0, mseq, mts })
/** n events a second apart: a quote each, every tenth a clock */
const series = (from: number, n: number): MarketEvent[] =>
  Array.from({ length: n }, (_, i) => {
    const mseq = from + i
    return mseq % 10 === 0
      ? clock(mseq, START + mseq * 1000)
      : quote(mseq, START + mseq * 1000, mseq % 3 ? 'BTC/USD' : 'EUR/USD')
  })
function headsOf(events: readonly MarketEvent[]): SegmentHead[] {
  const builder = new SegmentBuilder()
  return events.flatMap((e) => builder.add(e) ?? [])
}
async function readTo(log: MarketLog, group: string, from: number, to: number): Promise<MarketEvent[]> {
  const stop = AbortSignal.timeout(5000)
  const seen: MarketEvent[] = []
  for await (const batch of log.read(group, from, stop)) {
    seen.push(...batch)
    if (seen.at(-1)!.mseq >= to) break
  }
  return seen
}

/** What every market log does, whichever adapter: run on each. */
export function marketLogContract(name: string, make: () => Promise<MarketLogSubject>): void {
  describe(`marketlog: ${name}`, () => {
    let subject: MarketLogSubject
    let log: MarketLog
    beforeAll(async () => {
      subject = await make()
      log = subject.log
    })
    afterAll(async () => {
      await log.close()
      await subject.dispose()
    })

    test('an empty group has no end, and a reader starts at its first event', async () => {
      expect(await log.end('empty')).toBeNull()
      expect(await log.carry('empty', 0)).toEqual({ from: 1, events: [], prev: NO_HEAD })
      expect(await log.segments('empty', 1, 100)).toEqual([])
      expect(await log.seal('empty')).toBeNull()
    })

    test('events are read as they were appended, history and live, by readers that start anywhere', async () => {
      const events = series(1, 300)
      await log.fence('order', 1)
      await log.append('order', 1, events.slice(0, 200))
      const late = readTo(log, 'order', 150, 300)
      for (let i = 200; i < 300; i += 7) await log.append('order', 1, events.slice(i, Math.min(300, i + 7)))
      expect(await late).toEqual(events.slice(149))
      expect(await readTo(log, 'order', 1, 300)).toEqual(events)
      expect(await log.end('order')).toEqual({ mseq: 300, mts: START + 300_000, epoch: 1 })
    })

    test('heads are a function of the events alone, however they were appended', async () => {
      const heads = await log.segments('order', 1, 300)
      expect(heads).toEqual(headsOf(series(1, 300)))
      expect(heads.length).toBe(5)
      expect(await log.segments('order', 60, 119)).toEqual(heads.slice(1, 2))
    })

    test('a reader that starts from a carry sees what one that read everything sees', async () => {
      const heads = await log.segments('order', 1, 300)
      for (const mseq of [0, 1, 59, 60, 150, 299, 300]) {
        const { from, events, prev } = await log.carry('order', mseq)
        expect(from).toBe(
          heads.findLast((h) => h.first <= mseq && mseq <= h.last)?.first ?? (mseq === 0 ? 1 : heads.at(-1)!.last + 1),
        )
        expect(events.every((e) => e.mseq < from)).toBe(true)
        const builder = new SegmentBuilder(prev, events)
        const rest = await readTo(log, 'order', from, 300)
        expect(rest.flatMap((e) => builder.add(e) ?? [])).toEqual(heads.filter((h) => h.first >= from))
      }
    })

    test('a gap stays in the carry until its symbols have a mark again', async () => {
      await log.fence('gaps', 1)
      const at = (mseq: number) => START + mseq * 40_000
      await log.append('gaps', 1, [
        quote(1, at(1)),
        quote(2, at(2), 'EUR/USD'),
        { kind: 'gap', ts: at(3), pos: 0, symbols: null, reason: 'restart', mseq: 3, mts: at(3) },
        quote(4, at(4)),
        clock(5, at(6)),
        quote(6, at(8), 'EUR/USD'),
        clock(7, at(10)),
      ])
      expect((await log.carry('gaps', 5)).events.map((e) => e.mseq)).toEqual([2, 3, 4])
      expect((await log.carry('gaps', 7)).events.map((e) => e.mseq)).toEqual([4, 6])
    })

    test('an append that leaves a hole, repeats or goes back in time is refused whole', async () => {
      await log.fence('strict', 1)
      await log.append('strict', 1, series(1, 3))
      await expect(log.append('strict', 1, series(5, 1))).rejects.toThrow(RangeError)
      await expect(log.append('strict', 1, series(3, 2))).rejects.toThrow(RangeError)
      await expect(log.append('strict', 1, [...series(4, 1), clock(5, START)])).rejects.toThrow(RangeError)
      expect((await log.end('strict'))?.mseq).toBe(3)
      await log.append('strict', 1, [
        { kind: 'gap', ts: START + 9000, pos: 0, symbols: null, reason: 'log_lost', mseq: 9, mts: START + 9000 },
      ])
      expect((await readTo(log, 'strict', 4, 9)).map((e) => e.mseq)).toEqual([9])
    })

    test('an old leader cannot write once a higher epoch is fenced, and never a reader sees it', async () => {
      await log.fence('lead', 1)
      await log.append('lead', 1, series(1, 2))
      await log.fence('lead', 2)
      await expect(log.append('lead', 1, series(3, 1))).rejects.toThrow(FencedError)
      await expect(log.fence('lead', 1)).rejects.toThrow(FencedError)
      await log.append('lead', 2, [quote(3, START + 3000, 'SOL/USD')])
      const events = await readTo(log, 'lead', 1, 3)
      expect(events.map((e) => ('symbol' in e ? e.symbol : ''))).toEqual(['BTC/USD', 'BTC/USD', 'SOL/USD'])
    })

    test('what a store decided on and the log lost is never numbered again', async () => {
      await log.fence('lost', 1)
      await log.append('lost', 1, series(1, 5))
      await log.raise('lost', 5)
      await log.append('lost', 1, series(6, 1))
      await log.raise('lost', 100)
      const refused = await log.append('lost', 1, series(7, 1)).catch((e) => e)
      expect([refused instanceof LostEventsError, refused.mseq]).toEqual([true, 100])
      const gap: MarketEvent = {
        kind: 'gap',
        ts: START + 90_000,
        pos: 0,
        symbols: null,
        reason: 'log_lost',
        mseq: 101,
        mts: START + 90_000,
      }
      await log.append('lost', 1, [gap, series(102, 1)[0]!])
      expect((await readTo(log, 'lost', 6, 102)).map((e) => e.mseq)).toEqual([6, 101, 102])
      await log.raise('lost', 110)
      await log.fence('lost', 2, true)
      await log.append('lost', 2, series(103, 1))
    })

    test('sealing ends the open segment, once', async () => {
      await log.fence('seal', 1)
      await log.append('seal', 1, series(1, 5))
      const head = await log.seal('seal')
      expect([head?.first, head?.last]).toEqual([1, 5])
      expect(await log.seal('seal')).toBeNull()
      await log.append('seal', 1, series(6, 1))
      expect((await log.segments('seal', 1, 6)).map((h) => h.head)).toEqual([head!.head])
    })

    test('a reader ends when its signal aborts', async () => {
      const stop = new AbortController()
      const reading = (async () => {
        for await (const _ of log.read('seal', 7, stop.signal)) throw new Error('nothing is there')
      })()
      stop.abort()
      await reading
    })

    test('everything is there again after it was opened again', async () => {
      if (!subject.reopen) return
      await log.close()
      log = await subject.reopen()
      expect(await readTo(log, 'order', 1, 300)).toEqual(series(1, 300))
      expect(await log.end('order')).toEqual({ mseq: 300, mts: START + 300_000, epoch: 1 })
      expect(await log.end('lead')).toEqual({ mseq: 3, mts: START + 3000, epoch: 2 })
      await log.fence('order', 2)
      await log.append('order', 2, series(301, 100))
      expect(await log.segments('order', 1, 400)).toEqual(headsOf(series(1, 400)))
    })
  })
}
