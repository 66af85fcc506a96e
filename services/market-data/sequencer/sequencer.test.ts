import { describe, expect, test } from 'bun:test'
import type { MarketEvent, Tick } from '@assay/core/domain/market/event'
import type { Clock } from '@assay/core/ports/clock/port'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { DiskFullError, type DiskState, type MarketLog } from '@assay/core/ports/marketlog/port'
import { heartbeat, statesOf } from './heartbeat.ts'
import { levelsThrottle } from './levels-throttle.ts'
import { LiveSequencer } from './live.ts'

const T0 = Date.UTC(2025, 0, 1)
const quiet = { info: () => {}, warn: () => {} }

/** Wall and monotonic time that a test moves apart. */
function manualClock() {
  let wall = T0
  let mono = 0
  let sleepers: { at: number; wake: () => void }[] = []
  const clock: Clock = {
    now: () => wall,
    monotonic: () => mono,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ at: mono + ms, wake: () => resolve() })
        signal?.addEventListener('abort', () => reject(signal.reason))
      }),
  }
  const settle = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve()
  }
  return {
    clock,
    jump: (ms: number) => {
      wall += ms
    },
    async pass(ms: number, step = 100) {
      for (let left = ms; left > 0; left -= step) {
        wall += Math.min(step, left)
        mono += Math.min(step, left)
        const due = sleepers.filter((s) => s.at <= mono)
        sleepers = sleepers.filter((s) => s.at > mono)
        for (const s of due) s.wake()
        await settle()
      }
    },
  }
}
async function everything(log: MarketLog): Promise<MarketEvent[]> {
  const end = await log.end('main')
  const seen: MarketEvent[] = []
  for await (const batch of log.read('main', 1, AbortSignal.timeout(2000))) {
    seen.push(...batch)
    if (seen.at(-1)!.mseq >= (end?.mseq ?? 0)) break
  }
  return seen
}
const quote = (ts: number, pos: number): Tick => ({
  kind: 'quote',
  symbol: 'BTC/USD',
  venue: 'sim',
  ts,
  pos,
  bid: '1',
  ask: '2',
})
const brief = (events: MarketEvent[]) =>
  events
    .filter((e) => e.kind !== 'clock')
    .map((e) => (e.kind === 'gap' ? `gap ${e.reason}` : e.kind === 'symbol_state' ? e.state : e.kind))

async function live(log: MarketLog, epoch = 1) {
  const time = manualClock()
  const stop = new AbortController()
  await log.fence('main', epoch)
  const states = statesOf(['BTC/USD'], 'sim', T0, 'open', 'test')
  const sequencer = await LiveSequencer.begin({
    marketlog: log,
    clock: time.clock,
    log: quiet,
    group: 'main',
    epoch,
    signal: stop.signal,
    states,
  })
  const running = sequencer.run()
  running.catch(() => {})
  return { ...time, sequencer, running, stop }
}

describe('live sequencer', () => {
  test('numbers are gapless, market time is the wall clock, a clock event every 100 ms', async () => {
    const log = createMemoryLog()
    const { sequencer, pass, stop, running } = await live(log)
    await pass(250, 50)
    sequencer.accept([quote(T0, 1), quote(T0, 2)])
    await pass(250, 50)
    stop.abort()
    await running
    const events = await everything(log)
    expect(events.map((e) => e.mseq)).toEqual(events.map((_, i) => i + 1))
    expect(events.filter((e) => e.kind === 'clock').map((e) => e.mts - T0)).toEqual([100, 200, 300, 400, 500])
    expect(events.filter((e) => e.kind === 'quote').map((e) => e.mts - T0)).toEqual([250, 250])
  })

  test('a wall clock that jumps back stands still; one that jumps ahead by over 10 s writes a gap', async () => {
    const log = createMemoryLog()
    const { sequencer, pass, jump } = await live(log)
    await pass(100)
    jump(-5000)
    await pass(1000)
    expect((await log.end('main'))?.mts).toBe(T0 + 100)
    jump(5000)
    await pass(100)
    jump(9000)
    sequencer.accept([quote(T0, 1)])
    await pass(100)
    expect(brief(await everything(log))).toEqual(['open', 'quote'])
    jump(10_001)
    sequencer.accept([quote(T0, 2)])
    await pass(100)
    const events = await everything(log)
    expect(brief(events)).toEqual(['open', 'quote', 'gap clock_jump', 'quote'])
    expect(events.every((e, i) => i === 0 || e.mts >= events[i - 1]!.mts)).toBe(true)
  })

  test('a symbol that is open says so again behind the first quote of each day', async () => {
    const log = createMemoryLog()
    const { sequencer, pass, jump } = await live(log)
    for (const days of [0, 1, 0, 1]) {
      jump(days * 86_400_000)
      sequencer.accept([quote(T0, 1)])
      await pass(100)
    }
    expect(brief(await everything(log)).filter((word) => !word.startsWith('gap'))).toEqual([
      'open',
      'quote',
      'quote',
      'open',
      'quote',
      'quote',
      'open',
    ])
  })

  test('after a restart what was live is unknown until its first snapshot', async () => {
    const log = createMemoryLog()
    const first = await live(log, 1)
    await first.pass(100)
    first.stop.abort()
    const second = await live(log, 2)
    await second.pass(100)
    expect(brief(await everything(log))).toEqual(['open', 'open', 'gap restart'])
  })

  test('an old leader ends when a new one has fenced', async () => {
    const log = createMemoryLog()
    const { sequencer, pass, running } = await live(log, 1)
    await pass(100)
    await log.fence('main', 2)
    sequencer.accept([quote(T0, 1)])
    await pass(200)
    await expect(running).rejects.toThrow('not the fenced')
  })

  test('numbers that a store has seen and the log lost are not given again', async () => {
    const log = createMemoryLog()
    const { sequencer, pass } = await live(log)
    await pass(100)
    await log.raise('main', 50)
    sequencer.accept([quote(T0, 1)])
    await pass(100)
    const events = await everything(log)
    expect(events.slice(2).map((e) => [e.mseq, e.kind])).toEqual([
      [51, 'gap'],
      [52, 'quote'],
      [53, 'clock'],
    ])
  })

  // `ok`: the engine, which watches the disk too, got the space back first
  test.each(['reserve', 'ok'] as const)(
    'on a full disk it stops, and goes on with a gap when it is %s',
    async (space) => {
      const inner = createMemoryLog()
      let disk: DiskState = 'ok'
      const log: MarketLog = {
        ...inner,
        append: (group, epoch, events) =>
          disk === 'full' ? Promise.reject(new DiskFullError('full')) : inner.append(group, epoch, events),
        disk: () => disk,
        recoverDisk: async () => disk,
      }
      const { sequencer, pass } = await live(log)
      await pass(200)
      disk = 'full'
      sequencer.accept([quote(T0, 1)])
      await pass(2000)
      expect(sequencer.stopped).toBe(true)
      const before = (await inner.end('main'))!.mseq
      disk = space
      await pass(1200)
      expect(sequencer.stopped).toBe(false)
      sequencer.accept([quote(T0, 2)])
      await pass(100)
      const events = (await everything(inner)).slice(before)
      expect(brief(events)).toEqual(['gap disk_full', 'quote'])
      expect(events[0]!.mseq).toBe(before + 1)
    },
  )
})

describe('feeds', () => {
  test('a feed that is silent for 5 s is lost; when it is back, no symbol is open before its own next mark', async () => {
    const { clock, pass } = manualClock()
    const said: string[] = []
    const stop = new AbortController()
    const heart = heartbeat({
      venue: 'sim',
      symbols: ['BTC/USD'],
      clock,
      emit: (states) => said.push(states[0]!.state),
    })
    const watching = heart.watch(stop.signal)
    await pass(4000, 500)
    expect(said).toEqual([])
    heart.beat()
    await pass(6500, 500)
    heart.beat()
    heart.beat()
    stop.abort()
    await watching
    expect(said).toEqual(['unknown'])
  })

  test('at most ten levels a second of a symbol pass, by event time', () => {
    const passes = levelsThrottle()
    const levels = (ts: number, symbol = 'BTC/USD') =>
      passes({ kind: 'levels', symbol, venue: 'x', ts, pos: ts, bids: [], asks: [] })
    expect([0, 50, 99, 100, 199, 201].map((ts) => levels(ts))).toEqual([true, false, false, true, false, true])
    expect(levels(0, 'ETH/USD')).toBe(true)
  })
})
