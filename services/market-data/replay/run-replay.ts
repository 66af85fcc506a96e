import type { MarketEvent } from '@assay/core/domain/market/event'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Lockstep } from '@assay/core/ports/marketlog/lockstep'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { type ReplayEventsOptions, replayEvents } from './replay-events.ts'

/** How fast recorded time passes: a factor of wall time, or as fast as the log takes it. */
export type Speed = number | 'max'

export interface Play {
  log: MarketLog
  group: string
  /** the fence under which this run writes */
  epoch: number
  speed: Speed
  /** with lockstep the participants, not the clock, say when an event is released */
  lockstep?: Lockstep
  /** needed where speed is a factor */
  clock?: Clock
  signal?: AbortSignal
  /** market times of clock events that somebody waits for */
  clocks?: readonly number[]
  /** runs after a clock event of `clocks` was appended, before anything behind it is */
  onClock?: (at: number, mseq: number) => Promise<void>
}
export type ReplayRun = Play & ReplayEventsOptions
export interface Played {
  events: number
  mseq: number
  mts: number
}

/** a run in lockstep holds the thread no longer than this, ms */
const TURN_MS = 8
/** events appended together when nobody holds them back */
const BATCH = 1024

/** Plays a recording into the log. */
export const runReplay = (run: ReplayRun): Promise<Played> => playEvents(run, replayEvents(run))

/** Appends events that are a function of their input alone; what a run before this one has appended is not appended again. */
export async function playEvents(run: Play, source: AsyncIterable<MarketEvent[]>): Promise<Played> {
  const { log, group, epoch, lockstep, signal } = run
  const done = (await log.end(group))?.mseq ?? 0
  const pace = pacer(run)
  const wanted = new Set(run.clocks)
  let appended = 0
  let turnedAt = performance.now()
  let last: MarketEvent | undefined
  for await (const made of source) {
    const events = made.length > 0 && made[0]!.mseq > done ? made : made.filter((event) => event.mseq > done)
    for (let at = 0; at < events.length; ) {
      signal?.throwIfAborted()
      await lockstep?.released(events[at]!.mseq, signal)
      const ceiling = lockstep?.ceiling() ?? Number.POSITIVE_INFINITY
      const batch = upTo(events, at, ceiling, pace.due(), run.onClock && wanted)
      if (batch.length === 0) {
        await pace.wait(events[at]!.mts)
        continue
      }
      await log.append(group, epoch, batch)
      // who reads it, and everybody else in this process, gets a turn
      if (!lockstep || performance.now() - turnedAt > TURN_MS) {
        await new Promise((resolve) => setImmediate(resolve))
        turnedAt = performance.now()
      }
      appended += batch.length
      at += batch.length
      last = batch.at(-1)!
      if (run.onClock && last.kind === 'clock' && wanted.has(last.mts)) await run.onClock(last.mts, last.mseq)
    }
    last = made.at(-1) ?? last
  }
  return { events: appended, mseq: last?.mseq ?? done, mts: last?.mts ?? 0 }
}

/** events[at...] that may be appended now, ending at a clock that somebody waits for. */
function upTo(
  events: readonly MarketEvent[],
  at: number,
  ceiling: number,
  dueMts: number,
  stops: ReadonlySet<number> | undefined,
): MarketEvent[] {
  const batch: MarketEvent[] = []
  for (let i = at; i < events.length && batch.length < BATCH; i++) {
    const event = events[i]!
    if (event.mseq > ceiling || event.mts > dueMts) break
    batch.push(event)
    if (stops && event.kind === 'clock' && stops.has(event.mts)) break
  }
  return batch
}

interface Pacer {
  /** the market time that has come */
  due(): number
  wait(mts: number): Promise<void>
}
function pacer({ speed, clock, lockstep, signal }: Play): Pacer {
  if (speed === 'max' || lockstep || !clock) return { due: () => Number.POSITIVE_INFINITY, wait: async () => {} }
  let from: { mts: number; at: number } | null = null
  return {
    due: () => (from ? from.mts + (clock.monotonic() - from.at) * speed : Number.NEGATIVE_INFINITY),
    async wait(mts) {
      from ??= { mts, at: clock.monotonic() }
      const ms = (mts - from.mts) / speed - (clock.monotonic() - from.at)
      if (ms > 0) await clock.sleep(Math.min(ms, 1000), signal)
    },
  }
}
