import type { Nautilus } from '../peers/nautilus.ts'
import { DIGITS, type Grid, INITIAL, MAKER_BPS, QUANTITY, QUOTE_MS, SIZE, START, SYMBOL } from './grid.ts'
import type { Outcome, Side } from './side.ts'

/** The same grids in the words of peers/nautilus/matching.py. */
export const worldOf = (grids: readonly Grid[]): object => ({
  symbol: SYMBOL,
  digits: DIGITS,
  quantity: QUANTITY,
  size: SIZE,
  initial: INITIAL,
  fee_bps: MAKER_BPS,
  quote_ms: QUOTE_MS,
  start: START,
  grids: grids.map(({ name, bids, asks, actions }) => ({ name, bids, asks, actions: [...actions] })),
})
export const nautilusSide = ({ name, ask }: Nautilus): Side => ({
  name,
  // it works results out in doubles from an average price, so a cent may fall to the other side
  roundsBy: 0.01,
  run: (grid) => ask<Outcome>({ grid: grid.name }),
})
