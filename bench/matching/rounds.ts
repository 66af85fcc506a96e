import { median } from '../figure.ts'
import type { Grid } from './grid.ts'
import { check, type Outcome, type Side } from './side.ts'

export interface Grids {
  moving: Grid
  resting: Grid
}
/** Medians of the rounds. */
export interface Rates {
  name: string
  /** quotes/s */
  moving: number
  resting: number
  /** quotes per CPU second of all threads */
  movingCpu: number
  restingCpu: number
  decisionUs: number
}
interface Sample {
  secondsPerQuote: number
  cpuSecondsPerQuote: number
}
/** A sample repeats the grid until it has taken this long. */
const LEAST_S = 0.5

type Checked = (side: Side, grid: Grid, outcome: Outcome) => void

/** Each side once a round, so that what else the machine does meets all; the first round warms them up. */
export async function interleaved(
  sides: readonly Side[],
  grids: Grids,
  { rounds, leastS = LEAST_S }: { rounds: number; leastS?: number | undefined },
): Promise<Rates[]> {
  const samples = sides.map(() => [] as { moving: Sample; resting: Sample }[])
  const balances = new Map<Grid, number>()
  const checked: Checked = (side, grid, outcome) => {
    if (!balances.has(grid)) balances.set(grid, outcome.balance)
    check(side, grid, outcome, balances.get(grid)!)
  }
  for (let round = 0; round <= rounds; round++) {
    for (const [i, side] of sides.entries()) {
      const taken = {
        moving: await sample(side, grids.moving, leastS, checked),
        resting: await sample(side, grids.resting, leastS, checked),
      }
      if (round > 0) samples[i]!.push(taken)
    }
  }
  return sides.map(({ name }, i) => ratesOf(name, samples[i]!, grids.moving))
}

async function sample(side: Side, grid: Grid, leastS: number, checked: Checked): Promise<Sample> {
  let [seconds, cpuSeconds, quotes] = [0, 0, 0]
  do {
    const outcome = await side.run(grid)
    checked(side, grid, outcome)
    seconds += outcome.seconds
    cpuSeconds += outcome.cpuSeconds
    quotes += grid.bids.length - 1
  } while (seconds < leastS)
  return { secondsPerQuote: seconds / quotes, cpuSecondsPerQuote: cpuSeconds / quotes }
}

function ratesOf(name: string, samples: { moving: Sample; resting: Sample }[], { bids, decisions }: Grid): Rates {
  const of = (pick: (s: (typeof samples)[0]) => number): number => median(samples.map(pick))
  const perDecision = (bids.length - 1) / decisions
  return {
    name,
    moving: 1 / of((s) => s.moving.secondsPerQuote),
    resting: 1 / of((s) => s.resting.secondsPerQuote),
    movingCpu: 1 / of((s) => s.moving.cpuSecondsPerQuote),
    restingCpu: 1 / of((s) => s.resting.cpuSecondsPerQuote),
    decisionUs: of((s) => (s.moving.secondsPerQuote - s.resting.secondsPerQuote) * perDecision * 1e6),
  }
}
