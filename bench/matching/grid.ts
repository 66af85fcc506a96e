/**
 * What both sides are told: quotes of one symbol, and a grid of 100 limit orders around the market. An order that is
 * filled is replaced by one of the other side a step away, and now and then a far one is cancelled and placed again, so
 * that 100 keep working. Which orders must fill follows from the quotes alone and is worked out here, by comparing whole ticks.
 */
import { randomOf } from '@assay/core/testing/random-world'

export type Action =
  | { op: 'place'; order: string; side: 'buy' | 'sell'; tick: number }
  | { op: 'cancel'; order: string }
export interface Grid {
  name: string
  /** of bid and ask at each quote, in price ticks */
  bids: number[]
  asks: number[]
  /** what follows a quote, by its place; what follows quote 0 places the 100 orders */
  actions: Map<number, Action[]>
  /** orders in the order in which they must fill */
  fills: string[]
  /** placed, cancelled and filled after the first 100 were placed */
  decisions: number
  /** as they must stand at the end */
  working: number
  position: number
}
export interface GridOptions {
  quotes: number
  /** the market moves through the grid, or stays between its two innermost orders */
  moving: boolean
  orders?: number
  seed?: number
}

export const SYMBOL = 'EUR/USD'
export const DIGITS = 5
export const QUANTITY = 10_000
export const SIZE = 1_000_000
export const INITIAL = 1_000_000
export const MAKER_BPS = '0.2'
export const QUOTE_MS = 100
export const START = Date.parse('2024-03-04T17:01:00Z')
const CENTRE = 110_000
/** ticks between two orders of the grid */
const STEP = 10
/** quotes between two orders that are placed anew */
const RENEW_EVERY = 50
/** steps from the market: an order this far away is not about to fill */
const FAR = 5

export function gridOf({ quotes, moving, orders = 100, seed = 1 }: GridOptions): Grid {
  const random = randomOf(seed)
  const half = orders / 2
  const grid: Grid = {
    name: moving ? 'moving' : 'resting',
    bids: [],
    asks: [],
    actions: new Map(),
    fills: [],
    decisions: 0,
    working: 0,
    position: 0,
  }
  const working = new Map<number, string>()
  let empty = 0
  let placed = 0
  let now: Action[] = []
  const place = (level: number): void => {
    const order = `g${placed++}`
    working.set(level, order)
    now.push({ op: 'place', order, side: level < empty ? 'buy' : 'sell', tick: CENTRE + level * STEP })
  }
  const reached = (level: number, bid: number, ask: number): boolean =>
    level < empty ? ask <= CENTRE + level * STEP : bid >= CENTRE + level * STEP
  const fill = (level: number): void => {
    grid.fills.push(working.get(level)!)
    grid.position += level < empty ? QUANTITY : -QUANTITY
    working.delete(level)
    const before = empty
    empty = level
    place(before)
  }
  const renew = (): void => {
    const far = [...working.keys()].filter((level) => Math.abs(level - empty) > FAR)
    const level = far[Math.floor(random() * far.length)]
    if (level === undefined) return
    now.push({ op: 'cancel', order: working.get(level)! })
    place(level)
  }

  const room = moving ? (half - FAR) * STEP : STEP - 2
  let bid = CENTRE
  for (let at = 0; at < quotes; at++) {
    now = []
    if (at > 0) bid += Math.floor(random() * 5) - 2
    bid = Math.min(Math.max(bid, CENTRE - room), CENTRE + room)
    const ask = bid + 1
    grid.bids.push(bid)
    grid.asks.push(ask)
    if (at === 0) for (let level = 1; level <= half; level++) for (const side of [-1, 1]) place(side * level)
    else {
      const before = grid.fills.length
      for (const level of [empty - 1, empty + 1]) if (working.has(level) && reached(level, bid, ask)) fill(level)
      grid.decisions += grid.fills.length - before
      if (moving && at % RENEW_EVERY === 0) renew()
      grid.decisions += now.length
    }
    if (now.length > 0) grid.actions.set(at, now)
  }
  grid.working = working.size
  return grid
}
export const priceOf = (tick: number): string => (tick / 10 ** DIGITS).toFixed(DIGITS)
