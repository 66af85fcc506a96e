import { MarketView } from '@assay/core/domain/engine/view'
import type { MarketEvent, Tick } from '@assay/core/domain/market/event'
import { toNumber } from '@assay/core/domain/money/dec'
import type { Clock } from '@assay/core/ports/clock/port'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { Quality, type Quarantined } from '../quality/quality.ts'
import { heartbeat, statesOf } from '../sequencer/heartbeat.ts'
import { levelsThrottle } from '../sequencer/levels-throttle.ts'
import { type LiveOptions, LiveSequencer } from '../sequencer/live.ts'
import { runSimFeed } from '../sim/sim-feed.ts'
import type { MarketSymbol } from '../symbols/market-symbol.ts'

const STALE_MS = 5000

export interface LiveSimOptions extends Omit<LiveOptions, 'states'> {
  symbols: readonly MarketSymbol[]
  seed: string
  tickMs: number
  quarantine: (bad: Quarantined) => void
  /** the sequencer, as soon as it leads */
  onSequencer: (sequencer: LiveSequencer) => void
}

/** The simulated market at the pace of the wall clock, through quality into the log, until the signal aborts. */
export async function runLiveSim(options: LiveSimOptions): Promise<void> {
  const { symbols, seed, tickMs, marketlog, group, signal } = options
  const names = symbols.map((s) => s.instrument.symbol)
  const end = await marketlog.end(group)
  const clock = standing(options.clock, end?.mts ?? 0)
  const from = end ? await lastMids(marketlog, group, end.mseq) : new Map<string, number>()
  const states = statesOf(names, 'sim', clock.now(), 'open', 'the feed begins')
  const sequencer = await LiveSequencer.begin({ ...options, states })
  options.onSequencer(sequencer)

  const quality = new Quality({ source: 'sim', reorderMs: 0, staleMs: STALE_MS, quarantine: options.quarantine })
  const passes = levelsThrottle()
  const heart = heartbeat({ venue: 'sim', symbols: names, clock, emit: (ticks) => sequencer.accept(ticks) })
  const feed = runSimFeed(
    { seed: end ? `${seed}:${end.mseq}` : seed, instruments: symbols.map((s) => s.instrument), from, clock, tickMs },
    (ticks) => {
      heart.beat()
      for (const tick of ticks) if (passes(tick)) quality.offer(tick, undefined, clock.now())
      sequencer.accept(quality.take() as Tick[])
    },
    signal,
  )
  await Promise.all([sequencer.run(), feed, heart.watch(signal)])
}

/** Stands while the wall clock is behind market time: what is made then would else be older than what was made before. */
function standing(clock: Clock, from: number): Clock {
  let newest = from
  return {
    now() {
      newest = Math.max(newest, clock.now())
      return newest
    },
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  }
}

/** The mid of each symbol's newest quote: the market goes on where it stood. */
async function lastMids(marketlog: MarketLog, group: string, mseq: number): Promise<Map<string, number>> {
  const view = new MarketView()
  const { from, events } = await marketlog.carry(group, mseq)
  view.carry(events)
  if (from <= mseq) {
    for await (const batch of marketlog.read(group, from, new AbortController().signal) as AsyncIterable<
      readonly MarketEvent[]
    >) {
      for (const event of batch) view.apply(event)
      if (view.mseq >= mseq) break
    }
  }
  const mids = new Map<string, number>()
  for (const { symbol, quote } of view.all())
    if (quote) mids.set(symbol, (toNumber(quote.bid.price) + toNumber(quote.ask.price)) / 2)
  return mids
}
