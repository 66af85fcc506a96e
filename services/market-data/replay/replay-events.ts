import type { MarketEvent, RateTick, StateTick } from '@assay/core/domain/market/event'
import { Stamper } from '../sequencer/stamp.ts'
import { type RecordedTicksOptions, recordedTicks } from './recorded-ticks.ts'

export interface ReplayEventsOptions extends RecordedTicksOptions {
  /** further clock events, market time, ascending: each stands after every event of its time or before */
  clocks?: readonly number[]
  /** what the recording lacks, ascending: states and rates, each behind every event of its time or before */
  told?: readonly (StateTick | RateTick)[]
  /** say at its last event that the recording has ended: nothing comes behind it */
  ends?: boolean
}

/** The reason of the states behind a recording's last event. */
export const ENDED = 'the recording has ended'

/**
 * A recording as the market log holds it: a function of the file, the options and nothing else. It begins with each
 * symbol's state `open`; clocks after the last event find the symbols `unknown`, for the feed has ended.
 */
export async function* replayEvents(options: ReplayEventsOptions): AsyncGenerator<MarketEvent[]> {
  const symbols = options.scan.symbols.map((s) => s.symbol)
  const clocks = [...new Set(options.clocks)].sort((a, b) => a - b)
  const stamper = new Stamper()
  const told = options.told ?? []
  let nextClock = 0
  let nextTold = 0
  const clockAt = (): number => clocks[nextClock] ?? Number.POSITIVE_INFINITY
  const toldAt = (): number => told[nextTold]?.ts ?? Number.POSITIVE_INFINITY
  const othersBefore = (into: MarketEvent[], mts: number): void => {
    for (let at = Math.min(clockAt(), toldAt()); at < mts; at = Math.min(clockAt(), toldAt())) {
      stamper.fill(into, at)
      if (toldAt() === at) into.push(stamper.event(told[nextTold++]!, at))
      else {
        nextClock++
        into.push(stamper.clock(at))
      }
    }
  }
  const states = (into: MarketEvent[], ts: number, state: 'open' | 'unknown', reason: string): void => {
    for (const symbol of symbols)
      into.push(stamper.event({ kind: 'symbol_state', symbol, venue: 'replay', ts, pos: 0, state, reason }, ts))
  }

  let begun = false
  for await (const ticks of recordedTicks(options)) {
    const events: MarketEvent[] = []
    for (const tick of ticks) {
      if (tick.ts > stamper.mts) {
        othersBefore(events, tick.ts)
        stamper.fill(events, tick.ts)
      }
      if (!begun) {
        states(events, tick.ts, 'open', 'the recording begins')
        begun = true
      }
      events.push(stamper.event(tick, tick.ts))
    }
    yield events
  }
  const rest: MarketEvent[] = []
  othersBefore(rest, stamper.mts + 1)
  const at = Math.min(clockAt(), toldAt())
  if (at < Number.POSITIVE_INFINITY) {
    stamper.fill(rest, at)
    states(rest, at, 'unknown', ENDED)
    othersBefore(rest, Number.POSITIVE_INFINITY)
  }
  if (options.ends) states(rest, stamper.mts, 'unknown', ENDED)
  if (rest.length > 0) yield rest
}
