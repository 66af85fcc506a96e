import type { MarketEvent } from '@assay/core/domain/market/event'
import { Stamper } from '../sequencer/stamp.ts'
import { type RecordedTicksOptions, recordedTicks } from './recorded-ticks.ts'

export interface ReplayEventsOptions extends RecordedTicksOptions {
  /** further clock events, market time, ascending: each stands after every event of its time or before */
  clocks?: readonly number[]
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
  let nextClock = 0
  const clocksBefore = (into: MarketEvent[], mts: number): void => {
    while (nextClock < clocks.length && clocks[nextClock]! < mts) {
      const at = clocks[nextClock++]!
      stamper.fill(into, at)
      into.push(stamper.clock(at))
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
        clocksBefore(events, tick.ts)
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
  clocksBefore(rest, stamper.mts + 1)
  if (nextClock < clocks.length) {
    const at = clocks[nextClock]!
    stamper.fill(rest, at)
    states(rest, at, 'unknown', ENDED)
    clocksBefore(rest, Number.POSITIVE_INFINITY)
  }
  if (options.ends) states(rest, stamper.mts, 'unknown', ENDED)
  if (rest.length > 0) yield rest
}
