import type { Nautilus } from '../peers/nautilus.ts'
import { EVERY, FEE_BPS, INITIAL, type Plan, PRICE_PLACES, QUANTITY, SIZE_PLACES, SYMBOL } from './recording.ts'
import type { Outcome, Side } from './side.ts'

/** The same in the words of peers/nautilus/replay.py. */
export const worldOf = ({ file, orders }: Plan): object => ({
  file,
  symbol: SYMBOL,
  price_places: PRICE_PLACES,
  size_places: SIZE_PLACES,
  fee_bps: FEE_BPS,
  initial: Number(INITIAL),
  quantity: Number(QUANTITY),
  every: EVERY,
  orders,
})
export const nautilusSide = ({ name, ask }: Nautilus): Side => ({ name, run: () => ask<Outcome>({}) })
