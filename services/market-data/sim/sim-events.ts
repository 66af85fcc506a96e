import type { MarketEvent, Tick } from '@assay/core/domain/market/event'
import { Stamper } from '../sequencer/stamp.ts'
import { World, type WorldOptions } from './world.ts'

export interface SimEventsOptions extends WorldOptions {
  /** market time of the first event */
  startMts: number
  /** market time between two steps */
  tickMs: number
  /** it ends after so many steps */
  steps?: number
}

/** The simulated market in market time of its own, as if it were recorded: a function of its options alone. */
export async function* simEvents(options: SimEventsOptions): AsyncGenerator<MarketEvent[]> {
  const { startMts, tickMs, steps = Number.POSITIVE_INFINITY, instruments } = options
  const world = new World(options)
  const stamper = new Stamper()
  yield instruments.map(({ symbol }) =>
    stamper.event(
      {
        kind: 'symbol_state',
        symbol,
        venue: 'sim',
        ts: startMts,
        pos: 0,
        state: 'open',
        reason: 'the simulation begins',
      },
      startMts,
    ),
  )
  for (let i = 0; i < steps; i++) {
    const ts = startMts + i * tickMs
    const events: MarketEvent[] = []
    stamper.fill(events, ts)
    for (const tick of world.step(ts, tickMs)) events.push(stamper.event(tick as Tick, ts))
    yield events
  }
}
