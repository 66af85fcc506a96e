/**
 * A box: per symbol and side of the quote the interval in which it may move while nothing about an account can change.
 * One invariant makes it safe, checked in exact numbers: the highest floor that can come to be inside the box (it may
 * rise with equity: then with every leg at its best) is not above the equity with every leg at its worst (strictly
 * below it under `lte`); where a ceiling counts, the best equity is not beyond that; where margin can be called, the
 * room above the stop-out level is never below zero. Floats only choose the widths.
 */
import type { Compiled } from '@assay/core/domain/engine/compile'
import type { Book, Position } from '@assay/core/domain/engine/state'
import type { Triggers } from '@assay/core/domain/engine/triggers'
import { equityOf, marginRoom } from '@assay/core/domain/engine/valuation'
import type { BookLevel } from '@assay/core/domain/engine/view'
import type { QuoteOf, TouchOf } from '@assay/core/domain/instruments/convert'
import { add, type Dec, dec, gt, gte, lt, lte, mul } from '@assay/core/domain/money/dec'
import { floatOf, isFloatExact } from './float.ts'
import { chooseWidths, type SideWidth, type VolatilityOf } from './widths.ts'

/** Both edges belong to the interval; null: open. */
export interface Interval {
  lo: Dec | null
  hi: Dec | null
}
/** Where one symbol's quote may move. */
export interface Band {
  symbol: string
  bid: Interval
  ask: Interval
}
export interface Box {
  bands: Band[]
  extremes: Extremes
}
const SHRINK = 7 / 8
const TRIES = 24
/** A band wider than the price says nothing more. */
const WIDEST = 0.9

/** More than the 18th places that divisions round can add up to. */
const ROOM = dec('0.000000001')

/** What a set of bands can bring, exact. */
export interface Extremes {
  /** null: open below, no floor counted when the box was chosen */
  emin: Dec | null
  /** not below the best equity; null: no ceiling counts, the best side is open */
  emax: Dec | null
  /** least room above the stop-out level; null: none is asked for */
  room: Dec | null
}
export type Bounds = Pick<Triggers, 'floorAt' | 'ceiling' | 'trails' | 'stopsOut'>
export function isSafe({ emin, emax, room }: Extremes, t: Bounds): boolean {
  if (t.trails && emax === null) return false
  const floor = t.floorAt(t.trails ? emax : null)
  if (floor && !(emin && (floor.strict ? lte(floor.value, emin) : lt(floor.value, emin)))) return false
  if (t.ceiling && !(emax && (t.ceiling.strict ? gte(t.ceiling.value, emax) : gt(t.ceiling.value, emax)))) return false
  return !t.stopsOut || (room !== null && gte(room, ROOM))
}

/** Edges on the price's own decimal grid, never wider than asked. */
function intervalOf({ price }: BookLevel, width: SideWidth, scale: number): Interval {
  const ticks = Number(price.n)
  const edge = (share: number, sign: number): Dec | null =>
    share === Number.POSITIVE_INFINITY
      ? null
      : { n: BigInt(ticks + sign * Math.floor(ticks * Math.min(share * scale, WIDEST))), s: price.s }
  return { lo: edge(width.down, -1), hi: edge(width.up, 1) }
}

/** Prices at a corner of the box: every leg at its worst has each bid at `lo` and each ask at `hi`; at its best, the reverse. */
function corner(bands: readonly Band[], worst: boolean, quoteOf: QuoteOf): TouchOf {
  return (symbol) => {
    const quote = quoteOf(symbol)
    if (!quote) return null
    for (const band of bands) {
      if (band.symbol !== symbol) continue
      const bid = worst ? band.bid.lo : band.bid.hi
      const ask = worst ? band.ask.hi : band.ask.lo
      return { bid: bid ? { price: bid } : quote.bid, ask: ask ? { price: ask } : quote.ask }
    }
    return quote
  }
}
/** Quotes at the worst corner: only their prices are new. */
export function worstOf(bands: readonly Band[], quoteOf: QuoteOf): QuoteOf {
  const touchOf = corner(bands, true, quoteOf)
  return (symbol) => {
    const [quote, touch] = [quoteOf(symbol), touchOf(symbol)]
    return quote && touch
      ? { ...quote, bid: { ...quote.bid, ...touch.bid }, ask: { ...quote.ask, ...touch.ask } }
      : quote
  }
}
/** Equity with every leg at its worst and at its best inside the bands, exact: rounding of divisions is monotone. */
export const eminOf = (bands: readonly Band[], book: Book, compiled: Compiled, quoteOf: QuoteOf): Dec =>
  equityOf(book, compiled, corner(bands, true, quoteOf))
export const emaxOf = (bands: readonly Band[], book: Book, compiled: Compiled, quoteOf: QuoteOf): Dec =>
  equityOf(book, compiled, corner(bands, false, quoteOf))

/**
 * The least of equity less stop_out x used inside the bands, exact. One leg's share is its converted result less a
 * multiple of its own price: concave in that price, so an end of the interval has the least; an open end counts only
 * if the share falls towards it. The legs of a hedged symbol are all counted, which is never too much room.
 */
export function roomOf(bands: readonly Band[], book: Book, compiled: Compiled, quoteOf: QuoteOf): Dec | null {
  const worst = corner(bands, true, quoteOf)
  let total = book.balance
  for (const position of book.positions) {
    const least = legRoom(position, compiled, worst, bands, quoteOf)
    if (!least) return null
    total = add(total, least)
  }
  return total
}
function legRoom(
  position: Position,
  compiled: Compiled,
  worst: TouchOf,
  bands: readonly Band[],
  quoteOf: QuoteOf,
): Dec | null {
  const { symbol } = position
  const side = position.quantity.n > 0n ? 'bid' : 'ask'
  const band = bands.find((b) => b.symbol === symbol)
  const quote = quoteOf(symbol)!
  const ends = band ? [band[side].lo, band[side].hi] : [quote[side].price, quote[side].price]
  const at = (price: Dec): Dec => {
    const marked: TouchOf = (name) => {
      const touch = worst(name)
      return name === symbol && touch ? { ...touch, [side]: { price } } : touch
    }
    return marginRoom(position, compiled, marked)
  }
  const known = ends.filter((end) => end !== null)
  if (known.length === 0) return null
  const least = known.map(at).reduce((a, b) => (lt(b, a) ? b : a))
  if (known.length === 2) return least
  // far out it is a line: one that does not fall there does not fall on the way
  const [near, far] = ends[1] === null ? FAR_ABOVE : FAR_BELOW
  return lt(at(mul(known[0]!, far)), at(mul(known[0]!, near))) ? null : least
}
const FAR_ABOVE: readonly [Dec, Dec] = [dec('1000000000000'), dec('2000000000000')]
const FAR_BELOW: readonly [Dec, Dec] = [dec('0.000000000002'), dec('0.000000000001')]

export interface Chosen {
  /** null: not even standing still is safe, so every event counts */
  box: Box | null
  /** equities computed to find it */
  evaluations: number
}
/** Room that needs no counting: the margin in use is far below what could be called. */
const AMPLE = dec('1')
/** A margin rate x stop-out above this could outrun a result that converts at the other side. */
const SMALL_RATE = 0.25
/** Prices and rates inside a box at most double: four times the margin of now is never in use there. */
const AT_MOST = 4.1
/**
 * True is a proof that the stop-out level is not reached inside the box: every leg's share of the room rises with its
 * result (small rates, conversion bands within a factor of two), so the room is least where equity is, and the margin
 * in use there is at most `AT_MOST` times that of now. Gives the equity that is left above that; null: no proof.
 */
function ampleRoom(equity: number, values: readonly number[], t: Triggers, compiled: Compiled): number | null {
  const stopOut = floatOf(compiled.stopOut!)
  let used = 0
  for (let i = 0; i < values.length; i++) {
    const { marginRate } = compiled.markets.get(t.legs[i]!.symbol)!
    const rate = marginRate ? floatOf(marginRate) : 1 / floatOf(compiled.leverage)
    if (rate * stopOut > SMALL_RATE) return null
    used += values[i]! * rate
  }
  const room = equity - AT_MOST * stopOut * used
  return room > 0 ? room : null
}
const isNarrow = (bands: readonly Band[], t: Triggers): boolean =>
  bands.every(({ symbol, bid, ask }) => {
    if (!t.legs.some(({ path }) => path.some((leg) => leg.symbol === symbol))) return true
    return bid.lo !== null && ask.hi !== null && lte(ask.hi, add(bid.lo, bid.lo))
  })

export interface Market {
  quoteOf: QuoteOf
  volatilityOf: VolatilityOf
}
/** The widest safe box of the split. `coming`: the floor that the coming reset is sure to set. */
export function chooseBox(t: Triggers, coming: Dec | null, book: Book, compiled: Compiled, market: Market): Chosen {
  const { quoteOf, volatilityOf } = market
  let evaluations = 0
  const split = chooseWidths(t, coming, quoteOf, volatilityOf, (values, equity) => {
    const ample = ampleRoom(equity, values, t, compiled)
    if (ample !== null) return ample
    evaluations += 2
    const room = roomOf([], book, compiled, quoteOf)
    return room ? Math.max(0, floatOf(room)) : 0
  })
  for (const { symbol } of split.widths) {
    const { bid, ask } = quoteOf(symbol)!
    if (!isFloatExact(bid.price) || !isFloatExact(ask.price)) return { box: null, evaluations }
  }
  const bestOf = (bands: readonly Band[]): Dec | null =>
    t.ceiling || t.trails ? emaxOf(bands, book, compiled, quoteOf) : null
  const kept: Bounds = { ...t, floorAt: split.floorAt }
  for (let i = 0, scale = 1; i <= TRIES; i++, scale = i === TRIES ? 0 : scale * SHRINK) {
    const bands: Band[] = []
    for (const { symbol, bid, ask } of split.widths) {
      const quote = quoteOf(symbol)!
      bands.push({ symbol, bid: intervalOf(quote.bid, bid, scale), ask: intervalOf(quote.ask, ask, scale) })
    }
    const emin = split.isOpenBelow ? null : eminOf(bands, book, compiled, quoteOf)
    const emax = split.under === null ? bestOf(bands) : dec(split.under.toFixed(6))
    const ample =
      t.stopsOut && emin !== null && isNarrow(bands, t) && ampleRoom(floatOf(emin), split.values, t, compiled) !== null
    const room = t.stopsOut && !ample ? roomOf(bands, book, compiled, quoteOf) : null
    const parted = t.parts?.isCrossedAt(worstOf(bands, quoteOf)) ?? false
    evaluations += (t.parts ? 1 : 0) + (emin ? 1 : 0) + (emax && split.under === null ? 1 : 0) + (room ? 2 : 0)
    const extremes = { emin, emax, room: ample ? AMPLE : room }
    // standing still is safe where the floor of now is kept, whatever the coming one will be
    if (!parted && isSafe(extremes, scale === 0 ? t : kept)) return { box: { bands, extremes }, evaluations }
  }
  return { box: null, evaluations }
}
export const extremesOf = (
  bands: readonly Band[],
  t: Pick<Triggers, 'ceiling' | 'trails' | 'stopsOut'>,
  book: Book,
  compiled: Compiled,
  quoteOf: QuoteOf,
): Extremes => ({
  emin: eminOf(bands, book, compiled, quoteOf),
  emax: t.ceiling || t.trails ? emaxOf(bands, book, compiled, quoteOf) : null,
  room: t.stopsOut ? roomOf(bands, book, compiled, quoteOf) : null,
})
