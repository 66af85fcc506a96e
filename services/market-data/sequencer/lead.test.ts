import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { type Db, DbError } from '@assay/core/ports/db/port'
import type { Lockstep } from '@assay/core/ports/marketlog/lockstep'
import { createLockstep } from '@assay/core/ports/marketlog/lockstep-memory'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { DiskFullError, FencedError, type MarketLog } from '@assay/core/ports/marketlog/port'
import { ManualClock } from '@assay/core/testing/clock'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { until } from '@assay/core/testing/until'
import { runLiveSim } from '../feeds/live-sim.ts'
import { runPlayedFeed } from '../feeds/played.ts'
import { simEvents } from '../sim/sim-events.ts'
import { simSymbols } from '../symbols/market-symbol.ts'
import { keepLeading } from './lead.ts'

let database: TestDatabase
let db: Db
/** statements that the database has not answered: time stands still for them, however slow it is now */
let unanswered = 0
beforeAll(async () => {
  database = await testDatabase()
  const inner = database.db.as('market_data')
  db = {
    kind: inner.kind,
    query(sql: string, params: never) {
      unanswered++
      return inner.query(sql, params).finally(() => unanswered--)
    },
  } as Db
})
afterAll(() => database.drop())

const log = { info: () => {}, warn: () => {} }
const symbols = simSymbols()
type Run = (epoch: number, signal: AbortSignal) => Promise<unknown>
type Make = (marketlog: MarketLog, clock: ManualClock, group: string) => Run

const live: Make = (marketlog, clock, group) => (epoch, signal) =>
  runLiveSim({
    marketlog,
    clock,
    log,
    group,
    epoch,
    signal,
    symbols,
    seed: 'lead',
    tickMs: 500,
    quarantine: () => {},
    onSequencer: () => {},
  })
const EVENTS = { startMts: 0, tickMs: 1000, volatility: 1, seed: 'lead', instruments: symbols.map((s) => s.instrument) }
const events = (steps = 20) => simEvents({ ...EVENTS, steps })
const played =
  (pace: 1 | 'lockstep', lockstep?: Lockstep): Make =>
  (marketlog, clock, group) =>
  (epoch, signal) =>
    runPlayedFeed({
      marketlog,
      clock,
      group,
      epoch,
      signal,
      events: () => events(pace === 'lockstep' ? 200 : undefined),
      pace,
      lockstep: lockstep ?? createLockstep(group, clock),
      onStopped: () => {},
    })

let groups = 0
function leader(make: Make, { repeats = false, over = db, inner = createMemoryLog() } = {}) {
  const group = `group-${++groups}`
  const clock = new ManualClock()
  const stop = new AbortController()
  const epochs: number[] = []
  const ended: number[] = []
  const run = make(inner, clock, group)
  const leading = keepLeading(
    {
      db: over,
      marketlog: inner,
      clock,
      log,
      group,
      holder: 'me',
      repeats,
      run: async (epoch, signal) => {
        epochs.push(epoch)
        await run(epoch, signal)
        ended.push(epoch)
      },
    },
    stop.signal,
  )
  leading.catch(() => {})
  return {
    group,
    marketlog: inner,
    clock,
    epochs,
    /** epochs whose run came to its end */
    ended,
    leading,
    /** a second at a time until it holds */
    passUntil: (what: string, holds: () => boolean | Promise<boolean>) =>
      until(what, async () => {
        if (await holds()) return true
        if (unanswered === 0) await clock.advance(1000)
        return false
      }),
    end: async () => (await inner.end(group))?.mseq ?? 0,
    /** the process stands still for longer than its lease: database time goes on without it */
    stall: () =>
      database.db.query(
        "update market_data.leader set expires_at = clock_timestamp() - interval '1 s' where market_group = $1",
        [group],
      ),
    async close() {
      stop.abort()
      await leading
    },
  }
}
async function everything(marketlog: MarketLog, group: string): Promise<MarketEvent[]> {
  const end = (await marketlog.end(group))!.mseq
  const seen: MarketEvent[] = []
  for await (const batch of marketlog.read(group, 1, AbortSignal.timeout(2000))) {
    seen.push(...batch)
    if (seen.at(-1)!.mseq >= end) break
  }
  return seen
}

describe('a leader that stalled beyond its lease', () => {
  test('steps down, leads again under a higher epoch, goes on gapless; what it writes late is refused', async () => {
    const t = leader(live)
    await t.passUntil('it writes', async () => (await t.end()) > 50)
    const before = await t.end()
    await t.stall()
    await t.passUntil('it leads again', () => t.epochs.length === 2)
    await t.passUntil('it writes again', async () => (await t.end()) > before + 100)
    expect(t.epochs).toEqual([1, 2])
    const seen = await everything(t.marketlog, t.group)
    expect(seen.map((e) => e.mseq)).toEqual(seen.map((_, i) => i + 1))
    const gaps = seen.filter((e) => e.kind === 'gap')
    expect(gaps).toMatchObject([{ reason: 'restart', symbols: null }])
    const { mseq, mts } = (await t.marketlog.end(t.group))!
    const late: MarketEvent = { kind: 'clock', ts: mts, pos: 0, mseq: mseq + 1, mts }
    await expect(t.marketlog.append(t.group, 1, [late])).rejects.toThrow(FencedError)
    expect(await t.end()).toBe(mseq)
    await t.close()
  })

  test('goes on where a recording stood: the log is that of a run without the stall', async () => {
    const t = leader(played(1), { repeats: true })
    await t.passUntil('it is under way', async () => (await t.end()) > 50)
    await t.stall()
    await t.passUntil('it leads again', () => t.epochs.length === 2)
    await t.passUntil('it has ended', () => Promise.race([t.leading.then(() => true), Bun.sleep(0).then(() => false)]))
    const whole: MarketEvent[] = []
    for await (const some of events()) whole.push(...some)
    expect(await everything(t.marketlog, t.group)).toEqual(whole)
    expect(t.epochs).toEqual([1, 2])
  })

  test('plays a lockstep run to its end, though its driver has left before', async () => {
    const lockstep = createLockstep('run', new ManualClock())
    const t = leader(played('lockstep', lockstep), { repeats: true })
    const owner = lockstep.join('owner', 'engine')
    const driver = lockstep.join('driver', 'test')
    driver.report(50)
    owner.report(50)
    await until('it waits for its driver', async () => (await t.end()) === 51)
    driver.leave()
    // owners may follow 4,096 events behind
    await until('it waits for its owner', async () => (await t.end()) === 51 + 4096)
    await t.stall()
    await t.passUntil('it leads again', () => t.epochs.length === 2)
    owner.report(1_000_000)
    await t.passUntil('it has ended', () => Promise.race([t.leading.then(() => true), Bun.sleep(0).then(() => false)]))
    const end = await t.end()
    expect((await t.marketlog.segments(t.group, 1, end)).at(-1)?.last).toBe(end)
  })

  test('steps down by its own clock when no renewal is answered, and leads again when the database is back', async () => {
    const lost = new DbError('gone', '08006', { retryable: true, outcomeUnknown: true })
    const held: ((error: unknown) => void)[] = []
    let answers: 'all' | 'late' | 'none' = 'all'
    const over = {
      ...db,
      query: (sql: string, params: never) => {
        if (answers === 'late') return new Promise((_, reject) => held.push(reject))
        return answers === 'none' ? Promise.reject(lost) : db.query(sql, params)
      },
    } as Db
    const t = leader(live, { over })
    await t.passUntil('it writes', async () => (await t.end()) > 50)
    answers = 'late'
    const from = t.clock.monotonic()
    await t.passUntil('its run has ended', () => t.ended.length === 1)
    // within its lease of 5 s
    expect(t.clock.monotonic() - from).toBeLessThanOrEqual(5000)
    answers = 'none'
    for (const fail of held) fail(lost)
    const end = await t.end()
    for (let second = 0; second < 10; second++) await t.clock.advance(1000)
    expect([t.epochs, await t.end()]).toEqual([[1], end])
    answers = 'all'
    await t.passUntil('it writes again', async () => (await t.end()) > end + 50)
    expect(t.epochs).toEqual([1, 2])
    await t.close()
  })

  test('waits for space when not even its fence can be written', async () => {
    const inner = createMemoryLog()
    let full = true
    let refused = 0
    const marketlog: MarketLog = {
      ...inner,
      async fence(...args) {
        if (full) refused++
        if (full) throw new DiskFullError('full')
        await inner.fence(...args)
      },
      recoverDisk: async () => (full ? 'full' : 'ok'),
    }
    const t = leader(live, { inner: marketlog })
    await until('its fence was refused', () => refused === 1)
    await t.clock.advance(3000)
    expect([refused, t.epochs]).toEqual([1, []])
    full = false
    await t.passUntil('it writes', async () => (await t.end()) > 50)
    await t.close()
  })
})
