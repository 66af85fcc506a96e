/**
 * One account with 100 working limit orders, one thread, the same quotes and commands on every side, interleaved rounds,
 * medians. `moving`: quotes/s while orders fill and are placed anew; `resting`: while none is reached; `decision`:
 * microseconds for one order placed, cancelled or filled, what moving takes beyond as many resting quotes; `_cpu`: per
 * second of all the process's threads. `matching.*` is ours as the platform runs it, `plain_*` without its index, every
 * event looked at, as the verifier does, `oracle_*` ours beside our slow second implementation. Ours writes its journal's
 * records, unsealed; no side stores anything. What fills is compared order by order with what the quotes demand.
 * `lag`: how late timers of the main thread fire meanwhile.
 */
import { type Figure, figureOf } from './figure.ts'
import { type Grid, gridOf } from './matching/grid.ts'
import { nautilusSide, worldOf } from './matching/nautilus.ts'
import { indexedEngine, oracleEngine, plainEngine } from './matching/ours.ts'
import { interleaved, type Rates } from './matching/rounds.ts'
import { watchLag } from './measure/lag.ts'
import type { Latencies } from './measure/latencies.ts'
import { nautilusIfThere } from './peers/nautilus.ts'

export const summary = 'one account, 100 working orders: beside NautilusTrader and the oracle'

export interface MatchingOptions {
  quotes?: number
  rounds?: number
  /** a sample repeats its quotes until it has taken this long */
  leastS?: number
  /** false: ours and the oracle alone */
  peer?: boolean
}
const LAG_S = 3

export async function run(options: MatchingOptions = {}): Promise<Figure[]> {
  const { quotes = 20_000, rounds = 7, leastS, peer = true } = options
  const grids = { moving: gridOf({ quotes, moving: true }), resting: gridOf({ quotes, moving: false }) }
  const nautilus = peer ? await nautilusIfThere('matching', worldOf(Object.values(grids))) : null
  try {
    const sides = [indexedEngine, plainEngine, oracleEngine, ...(nautilus ? [nautilusSide(nautilus)] : [])]
    const [ours, plain, oracle, its] = await interleaved(sides, grids, { rounds, leastS })
    const lag = await lagWhile(grids.moving, leastS ?? LAG_S)
    const late = (name: string, share: number): Figure =>
      figureOf({ figure: `matching.${name}`, unit: 'ms', better: 'lower', ours: lag.at(share), samples: lag.count })
    return [
      ...figuresOf('', ours!, its, rounds),
      ...figuresOf('plain_', plain!, its, rounds),
      ...figuresOf('oracle_', ours!, oracle, rounds),
      late('lag_p99', 0.99),
      late('lag_max', 1),
    ]
  } finally {
    await nautilus?.close()
  }
}

function figuresOf(prefix: string, ours: Rates, its: Rates | undefined, samples: number): Figure[] {
  const figure = (name: string, unit: string, pick: (rates: Rates) => number): Figure =>
    figureOf({
      figure: `matching.${prefix}${name}`,
      unit,
      better: unit === 'us' ? 'lower' : 'higher',
      ours: pick(ours),
      samples,
      ...(its && { peer: { name: its.name, value: pick(its) } }),
    })
  return [
    figure('moving', 'quotes/s', (r) => r.moving),
    figure('moving_cpu', 'quotes/CPU-s', (r) => r.movingCpu),
    figure('resting', 'quotes/s', (r) => r.resting),
    figure('resting_cpu', 'quotes/CPU-s', (r) => r.restingCpu),
    figure('decision', 'us', (r) => r.decisionUs),
  ]
}

/** How late timers of the main thread fire while ours runs on it. */
async function lagWhile(grid: Grid, seconds: number): Promise<Latencies> {
  const stop = watchLag()
  const end = performance.now() + seconds * 1000
  do await indexedEngine.run(grid)
  while (performance.now() < end)
  return stop()
}
