import type { Quote } from '@assay/core/domain/engine/view'
import { type Dec, gt, lt } from '@assay/core/domain/money/dec'
import { floatOf, isFloatExact } from './float.ts'

/** Events of a stretch at each rung of the ladder; each is a multiple of the one before. */
const RUNGS = [256, 4096, 65_536] as const
const TOP = RUNGS.length - 1
/** Of a price that its double does not give back. */
const NOT_EXACT = 255
const POWERS = Array.from({ length: 23 }, (_, s) => 10 ** s)

export interface Standing {
  bid: Dec
  ask: Dec
}
/** Places of the quotes with the best bid and the best ask. */
interface Best {
  bidAt: number
  askAt: number
}
/** Where a search notes what it finds. */
export interface BestPrices extends Best {
  bid: number
  ask: number
}

/**
 * The quotes of one symbol for a while, by place: numbers that only rise, whatever is forgotten. Prices are doubles in
 * typed arrays with their decimal places: up to 15 digits that is exact both ways, and nothing for a collector to walk.
 */
export class History {
  /** place of the oldest kept */
  first = 0
  /** place behind the newest */
  private end = 0
  private mseqs = new Float64Array(256)
  private readonly sides = { bid: new Prices(256), ask: new Prices(256) }
  /** by rung, by number of the stretch: what stood at its start included */
  private readonly bests: Map<number, Best>[] = RUNGS.map(() => new Map())

  add({ mseq, bid, ask }: Quote): void {
    if (this.end - this.first === this.mseqs.length) this.grow()
    const place = this.end++
    const at = this.slot(place)
    this.mseqs[at] = mseq
    this.sides.bid.set(at, bid.price)
    this.sides.ask.set(at, ask.price)
    const standing = Math.max(place - 1, this.first)
    for (let rung = 0; rung <= TOP; rung++) {
      const number = Math.floor(mseq / RUNGS[rung]!)
      let best = this.bests[rung]!.get(number)
      if (!best) {
        best = { bidAt: standing, askAt: standing }
        this.bests[rung]!.set(number, best)
      }
      this.widen(best, place, place)
    }
  }
  private widen(best: Best, bidAt: number, askAt: number): void {
    const { bid, ask } = this.sides
    if (bid.isAbove(this.slot(bidAt), this.slot(best.bidAt))) best.bidAt = bidAt
    if (ask.isBelow(this.slot(askAt), this.slot(best.askAt))) best.askAt = askAt
  }

  /** Place of the newest quote up to `mseq`; `first` - 1: none. */
  standingAt(mseq: number): number {
    let [low, high] = [this.first, this.end]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.mseqs[this.slot(middle)]! <= mseq) low = middle + 1
      else high = middle
    }
    return low - 1
  }
  /** Infinity behind the newest. */
  mseqAt(place: number): number {
    return place < this.end ? this.mseqs[this.slot(place)]! : Number.POSITIVE_INFINITY
  }
  bids(place: number): number {
    return this.sides.bid.floats[this.slot(place)]!
  }
  asks(place: number): number {
    return this.sides.ask.floats[this.slot(place)]!
  }
  bidAt(place: number): Dec {
    return this.sides.bid.get(this.slot(place))
  }
  askAt(place: number): Dec {
    return this.sides.ask.get(this.slot(place))
  }

  /** The best bid and ask that stood at any of the events; stretches that lie wholly inside are taken as a whole. */
  best(into: BestPrices, first: number, last: number): void {
    const standing = Math.max(this.standingAt(first - 1), this.first)
    into.bidAt = standing
    into.askAt = standing
    for (let at = first; at <= last; ) {
      let rung = TOP
      while (rung >= 0 && (at % RUNGS[rung]! !== 0 || at + RUNGS[rung]! - 1 > last)) rung--
      if (rung >= 0) {
        const stretch = this.bests[rung]!.get(at / RUNGS[rung]!)
        if (stretch) this.widen(into, stretch.bidAt, stretch.askAt)
        at += RUNGS[rung]!
        continue
      }
      const end = Math.min(last, (Math.floor(at / RUNGS[0]) + 1) * RUNGS[0] - 1)
      for (let place = this.standingAt(at - 1) + 1; this.mseqAt(place) <= end; place++) this.widen(into, place, place)
      at = end + 1
    }
    into.bid = this.bids(into.bidAt)
    into.ask = this.asks(into.askAt)
  }

  /** Forgets what lies before `mseq`, save the quote that stands there. */
  forget(mseq: number): void {
    const kept = this.standingAt(mseq)
    for (let place = this.first; place < kept; place++) {
      this.sides.bid.forget(this.slot(place))
      this.sides.ask.forget(this.slot(place))
    }
    this.first = Math.max(this.first, kept)
    // a stretch that began before is never asked for as a whole
    for (let rung = 0; rung <= TOP; rung++)
      for (const number of this.bests[rung]!.keys())
        if (number <= Math.floor(mseq / RUNGS[rung]!)) this.bests[rung]!.delete(number)
  }

  private slot(place: number): number {
    return place & (this.mseqs.length - 1)
  }
  private grow(): void {
    const size = this.mseqs.length * 2
    const from = this.mseqs
    this.mseqs = new Float64Array(size)
    const moves: [from: number, to: number][] = []
    for (let place = this.first; place < this.end; place++) {
      const [old, now] = [place & (from.length - 1), place & (size - 1)]
      this.mseqs[now] = from[old]!
      moves.push([old, now])
    }
    this.sides.bid.move(size, moves)
    this.sides.ask.move(size, moves)
  }
}

/** One side's prices, by slot. */
class Prices {
  floats: Float64Array
  private scales: Uint8Array
  /** prices that a double does not give back */
  private readonly long = new Map<number, Dec>()

  constructor(size: number) {
    this.floats = new Float64Array(size)
    this.scales = new Uint8Array(size)
  }
  set(slot: number, price: Dec): void {
    this.floats[slot] = floatOf(price)
    const exact = isFloatExact(price) && price.s < POWERS.length
    this.scales[slot] = exact ? price.s : NOT_EXACT
    if (!exact) this.long.set(slot, price)
  }
  get(slot: number): Dec {
    const scale = this.scales[slot]!
    // below 10^15 the product is off by less than a half
    if (scale !== NOT_EXACT) return { n: BigInt(Math.round(this.floats[slot]! * POWERS[scale]!)), s: scale }
    return this.long.get(slot)!
  }
  isAbove(a: number, b: number): boolean {
    const [x, y] = [this.floats[a]!, this.floats[b]!]
    return x === y && this.isLong(a, b) ? gt(this.get(a), this.get(b)) : x > y
  }
  isBelow(a: number, b: number): boolean {
    const [x, y] = [this.floats[a]!, this.floats[b]!]
    return x === y && this.isLong(a, b) ? lt(this.get(a), this.get(b)) : x < y
  }
  private isLong(a: number, b: number): boolean {
    return this.scales[a] === NOT_EXACT || this.scales[b] === NOT_EXACT
  }
  forget(slot: number): void {
    if (this.scales[slot] === NOT_EXACT) this.long.delete(slot)
  }
  move(size: number, moves: readonly [from: number, to: number][]): void {
    const [floats, scales, long] = [this.floats, this.scales, new Map(this.long)]
    this.floats = new Float64Array(size)
    this.scales = new Uint8Array(size)
    this.long.clear()
    for (const [from, to] of moves) {
      this.floats[to] = floats[from]!
      this.scales[to] = scales[from]!
      const price = long.get(from)
      if (price) this.long.set(to, price)
    }
  }
}
