import type { Level } from '@assay/core/domain/engine/triggers'
import type { Dec } from '@assay/core/domain/money/dec'
import type { Band } from './box.ts'
import { ofFloat } from './float.ts'
import type { Heaps } from './heaps.ts'

/** Of a symbol whose moves are not known yet, as a share of its price. */
const TYPICAL_MOVE = 1e-5
/** Weight of the newest move: a side may stand still for long, then jump. */
const MEMORY = 1 / 512

/** What waits in one symbol, and how its prices move. */
export interface SymbolIndex {
  /** heaps: bid or ask below `lo` (keys negated), above `hi`; orders that wait for the ask to fall (negated) or the bid to rise, and for the ask to rise or the bid to fall (negated) */
  bidLo: number
  bidHi: number
  askLo: number
  askHi: number
  buys: number
  sells: number
  stopBuys: number
  stopSells: number
  /** touched at every event */
  always: Set<number>
  /** touched when the symbol's status changes */
  holders: Set<number>
  bid: Moves
  ask: Moves
}
/** A side of the quote: its last price, and the moving average of its squared moves, shares of the price. */
interface Moves {
  last: number
  squared: number
}
export function moved(side: Moves, price: number): void {
  if (side.last > 0) side.squared += ((price / side.last - 1) ** 2 - side.squared) * MEMORY
  side.last = price
}

export const volatilityOf = (s: SymbolIndex | undefined, side: 'bid' | 'ask'): number =>
  Math.sqrt(s?.[side].squared ?? 0) || TYPICAL_MOVE

export const newSymbolIndex = (heaps: Heaps): SymbolIndex => ({
  bidLo: heaps.create(),
  bidHi: heaps.create(),
  askLo: heaps.create(),
  askHi: heaps.create(),
  buys: heaps.create(),
  sells: heaps.create(),
  stopBuys: heaps.create(),
  stopSells: heaps.create(),
  always: new Set(),
  holders: new Set(),
  bid: { last: 0, squared: 0 },
  ask: { last: 0, squared: 0 },
})

/** Where an order waits, and under which key. */
export function heapFor(s: SymbolIndex, waits: Level['waits'], price: number): [heap: number, key: number] {
  switch (waits) {
    case 'ask_falls':
      return [s.buys, -price]
    case 'bid_rises':
      return [s.sells, price]
    case 'ask_rises':
      return [s.stopBuys, price]
    case 'bid_falls':
      return [s.stopSells, -price]
  }
}

/** The band that some of an account's nodes stand for in this symbol; null: none of them is its. */
export function bandOf(symbol: string, s: SymbolIndex, nodes: readonly number[], heaps: Heaps): Band | null {
  const edge = (heap: number, sign: 1 | -1): Dec | null => {
    const node = nodes.find((n) => heaps.heapOfNode(n) === heap)
    return node === undefined ? null : ofFloat(sign * heaps.keyOf(node))
  }
  const bid = { lo: edge(s.bidLo, -1), hi: edge(s.bidHi, 1) }
  const ask = { lo: edge(s.askLo, -1), hi: edge(s.askHi, 1) }
  return bid.lo || bid.hi || ask.lo || ask.hi ? { symbol, bid, ask } : null
}
