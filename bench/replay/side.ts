import { type Plan, PRICE_PLACES, QUANTITY } from './recording.ts'

export type Fill = [ms: number, quantity: number, price: number]
/** What one side made of the recording. */
export interface Outcome {
  /** from the file to the result */
  seconds: number
  /** without the reading of the file and the making of ticks; the whole where a side reads as it plays */
  runSeconds: number
  /** of all threads of the process */
  cpuSeconds: number
  /** trades of the recording that the strategy saw */
  seen: number
  fills: Fill[]
}
export interface Side {
  name: string
  run(): Promise<Outcome>
}

/** The independent count: every trade was seen, each order filled once, whole, at its instant. */
export function check(name: string, plan: Plan, { seen, fills }: Outcome): void {
  const expect = (what: string, is: unknown, must: unknown): void => {
    if (is !== must) throw new Error(`${name}: ${what} ${is} instead of ${must}`)
  }
  expect('trades seen are', seen, plan.trades - plan.before)
  expect('fills are', fills.length, plan.orders)
  for (const [i, [ms, quantity]] of fills.entries()) {
    expect(`fill ${i} is at`, ms, plan.instants[i])
    expect(`fill ${i} is of`, quantity, Number(QUANTITY))
  }
}
/** Where a print crosses the other side of the book ours moves that side a tick away, NautilusTrader onto the print; nothing else may differ. */
export function checkPrices(ours: readonly Fill[], theirs: readonly Fill[]): void {
  for (const [i, [, , price]] of ours.entries()) {
    const ticks = Math.abs(price - theirs[i]![2]) * 10 ** PRICE_PLACES
    if (Math.round(ticks) > 1) throw new Error(`fill ${i} is at ${price} and at ${theirs[i]![2]}`)
  }
}
