import type { Grid } from './grid.ts'

/** What one side did with a grid. */
export interface Outcome {
  /** from the first quote after the orders were placed to the last */
  seconds: number
  /** of all threads of the process */
  cpuSeconds: number
  /** orders in the order in which they were filled */
  fills: string[]
  working: number
  position: number
  balance: number
}
export interface Side {
  name: string
  /** how much of a balance may be booked differently per fill */
  roundsBy: number
  run(grid: Grid): Promise<Outcome>
}

/** The independent count: what was filled, in which order, what still works and what is held follow from the quotes. */
export function check({ name, roundsBy }: Side, grid: Grid, outcome: Outcome, balance: number): void {
  const expect = (what: string, is: unknown, must: unknown): void => {
    if (is !== must) throw new Error(`${name}, ${grid.name}: ${what} ${is} instead of ${must}`)
  }
  const { fills } = outcome
  for (const [at, order] of grid.fills.entries()) expect(`fill ${at} is of`, fills[at], order)
  expect('fills are', fills.length, grid.fills.length)
  expect('working orders are', outcome.working, grid.working)
  expect('the position is', outcome.position, grid.position)
  const off = Math.abs(outcome.balance - balance)
  if (off > roundsBy * fills.length + 1e-6) expect('the balance is', outcome.balance, balance)
}
