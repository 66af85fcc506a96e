/**
 * The rule index on one core: 100,000 accounts in 50 symbols, 10,000 ticks a second in open loop, orders beside it.
 * `rules.p99`, `rules.p999`: ms from a tick's due time to its last decision. `rules.evaluations`, `rules.volatile`,
 * `rules.highs` (long only in a rising market): equities computed per tick beside what a scan of the symbol's holders would compute. `rules.gap`, `rules.reset`:
 * ms to decide one tick that moves a symbol by 5 %, and one that starts a new day for all; `rules.reset_written`: until
 * the records of that day are there, which is put off where nothing is decided. `rules.breaches`: a minute, in the open
 * loop.
 */
import { type Figure, figureOf, median } from './figure.ts'
import { Latencies } from './measure/latencies.ts'
import { SYMBOLS } from './rules/market.ts'
import { RulesWorld } from './rules/world.ts'

export const summary = 'rule index: latency, evaluations beside a scan, gap, reset'

export interface RulesOptions {
  accounts?: number
  ticksPerS?: number
  ordersPerS?: number
  seconds?: number
  warmTicks?: number
  /** ticks counted for the evaluations */
  countedTicks?: number
}
const SCAN = 'scan of the symbol’s holders, counted'
const GAPS = 11
const HALF_HOUR_MS = 1_800_000

export async function run(options: RulesOptions = {}): Promise<Figure[]> {
  const { accounts = 100_000, countedTicks = 200_000 } = options
  const calm = new RulesWorld(accounts, 1)
  const { latency, breaches } = openLoop(calm, options)
  const figures = [
    figureOf({ figure: 'rules.breaches', unit: '/min', better: 'higher', ours: breaches, samples: latency.count }),
    ms('rules.p50', latency.at(0.5), latency.count),
    ms('rules.p99', latency.at(0.99), latency.count),
    ms('rules.p999', latency.at(0.999), latency.count),
    evaluations('rules.evaluations', calm, countedTicks),
    ...single(calm),
  ]
  return [
    ...figures,
    evaluations('rules.volatile', new RulesWorld(accounts, 20), countedTicks),
    evaluations('rules.highs', new RulesWorld(accounts, 1, true), countedTicks),
  ]
}
const ms = (figure: string, ours: number, samples: number): Figure =>
  figureOf({ figure, unit: 'ms', better: 'lower', ours, samples })

/** Ticks and orders when they are due, whether the ones before are done or not. */
function openLoop(world: RulesWorld, options: RulesOptions): { latency: Latencies; breaches: number } {
  const { ticksPerS = 10_000, ordersPerS = 200, seconds = 60, warmTicks = 200_000 } = options
  for (let i = 0; i < warmTicks; i++) {
    world.tick()
    world.replace()
  }
  const latency = new Latencies()
  const before = world.breaches
  const start = performance.now()
  const ticks = ticksPerS * seconds
  let orders = 0
  for (let i = 0; i < ticks; i++) {
    const due = start + (i * 1000) / ticksPerS
    while (performance.now() < due) {
      if (performance.now() < start + (orders * 1000) / ordersPerS) {
        world.idle()
        continue
      }
      orders++
      world.order()
    }
    world.tick()
    latency.add(performance.now() - due)
    world.replace()
  }
  return { latency, breaches: ((world.breaches - before) * 60) / seconds }
}

function evaluations(figure: string, world: RulesWorld, ticks: number): Figure {
  const before = { ours: world.evaluations, scan: world.scanned }
  let replaced = 0
  for (let i = 0; i < ticks; i++) {
    world.tick()
    replaced += world.replace()
  }
  // an account that takes a failed one's place is armed once: not the index's work
  const ours = (world.evaluations - before.ours - replaced) / ticks
  const value = (world.scanned - before.scan) / ticks
  return figureOf({
    figure,
    unit: 'evaluations/tick',
    better: 'lower',
    ours,
    samples: ticks,
    peer: { name: SCAN, value },
  })
}

function single(world: RulesWorld): Figure[] {
  const timed = (work: () => void): number => {
    const from = performance.now()
    work()
    return performance.now() - from
  }
  const gaps = SYMBOLS.slice(0, GAPS).map((symbol) => {
    const event = world.source.gap(symbol, -0.05, world.mts)
    const took = timed(() => world.feed(event))
    world.replace()
    return took
  })
  const { mseq } = world.source.next(world.mts)
  const newDay = Math.ceil(world.mts / HALF_HOUR_MS) * HALF_HOUR_MS
  const reset = timed(() => world.feed({ kind: 'clock', ts: newDay, pos: 0, mseq: mseq + 1, mts: newDay }))
  const written = reset + timed(() => world.settle())
  return [
    ms('rules.gap', median(gaps), gaps.length),
    ms('rules.reset', reset, 1),
    ms('rules.reset_written', written, 1),
  ]
}
