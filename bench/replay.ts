/**
 * The shared recording of XRP/ETH trades through `assay backtest`, with a strategy that places 1,000 market orders, in
 * lockstep: the next event comes when the strategy has seen the one before and its order is answered. Beside
 * NautilusTrader on the same file with the same strategy; one process each, warmed, interleaved rounds, medians.
 * `replay.events`: recorded trades a second from the file to the result; `events_cpu`: per second of all the process's
 * threads; `run`: the same for ours, the peer without reading the file and making its ticks. Ours also keeps a hashed
 * market log and a signed journal. Each order must be filled whole, at its own instant of the file, on both sides. `lag`:
 * how late timers of the main thread fire meanwhile.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sharedRecordings } from '@assay/services/market-data/testing/recordings'
import { type Figure, figureOf, median } from './figure.ts'
import { watchLag } from './measure/lag.ts'
import type { Latencies } from './measure/latencies.ts'
import { nautilusIfThere } from './peers/nautilus.ts'
import { nautilusSide, worldOf } from './replay/nautilus.ts'
import { backtestSide } from './replay/ours.ts'
import { type Plan, planOf } from './replay/recording.ts'
import { check, checkPrices, type Outcome, type Side } from './replay/side.ts'

export const summary = 'a recording with 1,000 orders in lockstep beside NautilusTrader'

export interface ReplayOptions {
  /** XRP/ETH trades, gzipped JSON */
  file?: string
  rounds?: number
  orders?: number
  /** false: ours alone */
  peer?: boolean
}
const LAG_RUNS = 3
const RECORDING = 'xrp-eth-trades-2019-10.json.gz'

export async function run(options: ReplayOptions = {}): Promise<Figure[]> {
  const { rounds = 7, orders = 1000, peer = true } = options
  const file = options.file ?? sharedRecording()
  if (file === null) return []
  const plan = planOf(file, readFileSync(file), orders)
  const nautilus = peer ? await nautilusIfThere('replay', worldOf(plan)) : null
  try {
    const [ours, its] = await interleaved(
      plan,
      [backtestSide(plan), ...(nautilus ? [nautilusSide(nautilus)] : [])],
      rounds,
    )
    const lag = await lagWhile(backtestSide(plan))
    const rate = (name: string, unit: string, mine: number, peer: number | undefined): Figure =>
      figureOf({
        figure: `replay.${name}`,
        unit,
        better: 'higher',
        ours: mine,
        samples: rounds,
        ...(nautilus && peer !== undefined && { peer: { name: nautilus.name, value: peer } }),
      })
    const late = (name: string, share: number): Figure =>
      figureOf({ figure: `replay.${name}`, unit: 'ms', better: 'lower', ours: lag.at(share), samples: lag.count })
    return [
      rate('events', 'events/s', ours!.events, its?.events),
      rate('events_cpu', 'events/CPU-s', ours!.cpu, its?.cpu),
      rate('run', 'events/s', ours!.run, its?.run),
      late('lag_p99', 0.99),
      late('lag_max', 1),
    ]
  } finally {
    await nautilus?.close()
  }
}

/** null, and a line that says so, where it is absent */
function sharedRecording(): string | null {
  const folder = sharedRecordings()
  return folder && join(folder, RECORDING)
}

interface Rates {
  events: number
  cpu: number
  run: number
}
/** Each side once a round; the first round warms them up. Fills of the sides are compared in every round. */
async function interleaved(plan: Plan, sides: readonly Side[], rounds: number): Promise<Rates[]> {
  const taken = sides.map((): Outcome[] => [])
  for (let round = 0; round <= rounds; round++) {
    const outcomes: Outcome[] = []
    for (const side of sides) {
      const outcome = await side.run()
      check(side.name, plan, outcome)
      outcomes.push(outcome)
    }
    for (const outcome of outcomes) checkPrices(outcomes[0]!.fills, outcome.fills)
    if (round > 0) for (const [i, outcome] of outcomes.entries()) taken[i]!.push(outcome)
  }
  return taken.map((outcomes) => {
    const rateBy = (pick: (outcome: Outcome) => number): number => plan.trades / median(outcomes.map(pick))
    return { events: rateBy((o) => o.seconds), cpu: rateBy((o) => o.cpuSeconds), run: rateBy((o) => o.runSeconds) }
  })
}
async function lagWhile(side: Side): Promise<Latencies> {
  const stop = watchLag()
  for (let run = 0; run < LAG_RUNS; run++) await side.run()
  return stop()
}
